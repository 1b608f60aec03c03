"""What the words of a domain's plans mean, and who in a call knows which fact, as the prompts tell a model."""

from collections.abc import Iterable

from tip_assets.generation.prompts import SYSTEM_TEXT, CallPrompt, FactsKnown, TemplateWords
from tip_assets.planning.domain_library import DomainLibrary
from tip_assets.planning.library.slots import OneOf, Slot
from tip_assets.planning.library.types import Template
from tip_assets.planning.recipes import Recipe


def prompt_for(library: DomainLibrary, system_text: str = SYSTEM_TEXT) -> CallPrompt:
    """How calls of this domain are asked for; `system_text` other than tip's own is for experiments."""
    complications = {name: complication.description for name, complication in library.complications.items()}
    resolutions = {name: resolution.description for name, resolution in library.resolutions.items()}
    return CallPrompt(
        {**library.steps, **complications, **resolutions},
        system_text=system_text,
        words_of_templates={name: _words(template, library) for name, template in library.templates.items()},
        facts_known=FactsKnown(
            by_agent_alone=_fact_names(slot for item in library.resolutions.values() for slot in item.slots),
            by_caller_alone=_fact_names(slot for item in library.complications.values() for slot in item.slots),
        ),
    )


def prompt_by(library: DomainLibrary, recipe: Recipe) -> CallPrompt:
    """How calls of this domain are asked for under a recipe."""
    return prompt_for(library, recipe.system_text(SYSTEM_TEXT))


def _words(template: Template, library: DomainLibrary) -> TemplateWords:
    events = [library.complications[name] for name in template.complications]
    endings = [library.resolutions[name] for name in template.resolutions]
    steps = {step for event in (*events, *endings) for step in event.steps}
    always = frozenset(template.intent_path)
    return TemplateWords(always, always.union(template.complications, template.resolutions, steps))


def _fact_names(slots: Iterable[Slot]) -> frozenset[str]:
    found: set[str] = set()
    for slot in slots:
        found.update(slot.rows[0] if isinstance(slot, OneOf) else [slot.name])
    return frozenset(name for name in found if not name.startswith("_"))
