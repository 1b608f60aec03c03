"""Plans what happens in each call of a data set: random access, deterministic, evenly covered.

Call i of a set is a function of the spec, the domain library and i alone. Templates come in shuffled blocks;
within a template, complications and resolutions run through all their pairs; the facts are one number in
mixed radix, taken from a keyed permutation, so that no two calls of a template share all their facts. Weights of
a recipe repeat a choice within its block; without them every choice stands there once.
People are planned in persona_generator.py.
"""

import itertools
import math
import uuid
from collections.abc import Iterator
from datetime import date, datetime

from tip_assets.planning.draws import Key, hashed, permutation, permuted
from tip_assets.planning.library.slots import CALL_DATE, DayFrom, OneOf, Slot
from tip_assets.planning.library.types import Complication, DomainLibrary, Resolution, Template
from tip_assets.planning.library.values import Value, written
from tip_assets.planning.people.caller import read_caller
from tip_assets.planning.people.relations import fitting
from tip_assets.planning.scenario_weights import EVEN, ScenarioWeights, repeated
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.scenario import Scenario

# Calls of a set are spread over the weekdays of the four weeks before it was asked for.
_CALL_DAYS = 28
# The base of all dates when a spec does not say when it was made; any fixed day does.
_DEFAULT_BASE_DATE = date(2026, 1, 30)
_BASE = "_base_date"
_HARDEST = 5


def scenario_at(spec: DatasetSpec, library: DomainLibrary, index: int, weights: ScenarioWeights = EVEN) -> Scenario:
    """The scenario of call `index` (from 0).

    Raises:
        BadInput: The spec names a template, caller or date that cannot be used, or the weights leave nothing.
    """
    key = plan_key(spec)
    template, ordinal = _template(spec, library, index, weights, key)
    complications, resolution = _events(spec, library, template, ordinal, key, weights)
    slots = _all_slots(spec, library, template, complications, resolution)
    size = math.prod(slot.size for slot in slots)
    number = permuted(ordinal % size, size, *key, template.name, ordinal // size)
    return Scenario(
        id=str(uuid.UUID(int=hashed(*key, "scenario", index))),
        index=index,
        domain=library.name,
        template=template.name,
        title=template.title,
        intent_path=_intent_path(template, complications, resolution),
        facts=_facts(slots, number, base_date(spec)),
        complications=tuple(complication.name for complication in complications),
        resolution=resolution.name,
        difficulty=min(
            _HARDEST, template.difficulty + len(complications) + (1 if resolution.satisfaction == "poor" else 0)
        ),
    )


def plan_scenarios(spec: DatasetSpec, library: DomainLibrary, weights: ScenarioWeights = EVEN) -> Iterator[Scenario]:
    """All scenarios of a data set, in order."""
    return (scenario_at(spec, library, index, weights) for index in range(spec.count))


def different_calls(spec: DatasetSpec, library: DomainLibrary) -> int:
    """How many calls the library can make for `spec` before two are the same in template, events and facts.

    Far above a million for the domains that come with tip; a custom domain with few values can be small.
    """
    templates = chosen_templates(spec, library)
    smallest = min(
        min(
            math.prod(slot.size for slot in _all_slots(spec, library, template, (), library.resolutions[name]))
            for name in template.resolutions
        )
        for template in templates
    )
    return smallest * len(templates)


def chosen_templates(spec: DatasetSpec, library: DomainLibrary) -> tuple[Template, ...]:
    """The templates a spec asks for, or all of the domain's.

    Raises:
        BadInput: One of them is not in the domain.
    """
    if not spec.scenario_templates:
        return tuple(library.templates.values())
    for name in spec.scenario_templates:
        if name not in library.templates:
            raise BadInput(
                f"the domain {library.name} has no template {name!r}.",
                where="scenario_templates",
                mend=f"Use some of {', '.join(library.templates)}.",
            )
    return tuple(library.templates[name] for name in dict.fromkeys(spec.scenario_templates))


def plan_key(spec: DatasetSpec) -> tuple[Key, ...]:
    """What a plan depends on. Name and count are left out: a set that grows keeps the calls it has."""
    return (
        spec.seed,
        spec.domain,
        spec.complexity,
        spec.emotional_tone,
        spec.caller_type,
        spec.language,
        ",".join(spec.scenario_templates),
    )


def base_date(spec: DatasetSpec) -> date:
    """The day all dates of a set count from: the day the spec was made.

    Raises:
        BadInput: `created_at` is neither empty nor an ISO date or time.
    """
    if not spec.created_at:
        return _DEFAULT_BASE_DATE
    try:
        return datetime.fromisoformat(spec.created_at).date()
    except ValueError as error:
        raise BadInput(
            f"{spec.created_at!r} is not a date.", where="created_at", mend="Write it as 2026-11-21T09:30:00+00:00."
        ) from error


def _template(
    spec: DatasetSpec, library: DomainLibrary, index: int, weights: ScenarioWeights, key: tuple[Key, ...]
) -> tuple[Template, int]:
    """The template of a call, and how many calls of it came before."""
    weighed = ((template, weights.templates.get(template.name, 1)) for template in chosen_templates(spec, library))
    templates = repeated(weighed, "templates", "a template")
    block, place = divmod(index, len(templates))
    order = permutation(len(templates), block, *key, "template")
    template = templates[order[place]]
    before = sum(templates[choice] is template for choice in order[:place])
    return template, block * sum(each is template for each in templates) + before


def _events(
    spec: DatasetSpec,
    library: DomainLibrary,
    template: Template,
    ordinal: int,
    key: tuple[Key, ...],
    weights: ScenarioWeights,
) -> tuple[tuple[Complication, ...], Resolution]:
    """Complications and resolution of a template's `ordinal`-th call.

    Counting both on together, and shifting one by one whenever they come round to where they began, meets
    every pair once in (choices of one) x (choices of the other) calls and keeps both even in between.
    """
    weighed = ((names, weights.of_complications(names)) for names in _complication_choices(template, spec))
    choices = repeated(weighed, "complications", template.name)
    ends = repeated(
        ((name, weights.resolutions.get(name, 1)) for name in template.resolutions), "resolutions", template.name
    )
    first, second = len(choices), len(ends)
    block, place = divmod(ordinal, first * second)
    shift = place // math.lcm(first, second)
    chosen = choices[permutation(first, *key, template.name, "complications", block)[place % first]]
    resolution = permutation(second, *key, template.name, "resolution", block)[(place + shift) % second]
    return (
        tuple(library.complications[name] for name in chosen),
        library.resolutions[ends[resolution]],
    )


def _complication_choices(template: Template, spec: DatasetSpec) -> list[tuple[str, ...]]:
    """Simple calls have none or one complication, complex calls two."""
    if spec.complexity == "complex" and len(template.complications) >= 2:
        return list(itertools.combinations(template.complications, 2))
    return [(), *((name,) for name in template.complications)]


def _all_slots(
    spec: DatasetSpec,
    library: DomainLibrary,
    template: Template,
    complications: tuple[Complication, ...],
    resolution: Resolution,
) -> list[Slot]:
    slots: list[Slot] = [
        OneOf("company", "", tuple({"company": name} for name in library.companies[template.company])),
        DayFrom(CALL_DATE, "", 1 - _CALL_DAYS, 0, start=_BASE, weekdays=True),
    ]
    caller = read_caller(spec.caller_type, library)
    calls_for = fitting(caller.type.calls_for, caller.age)
    if calls_for:
        slots.append(OneOf("calling_for", "", tuple({"calling_for": person} for person in calls_for)))
    slots.extend(template.slots)
    for complication in complications:
        slots.extend(complication.slots)
    slots.extend(resolution.slots)
    return slots


def _facts(slots: list[Slot], number: int, base: date) -> dict[str, str]:
    values: dict[str, Value] = {_BASE: base}
    for slot in slots:
        number, choice = divmod(number, slot.size)
        values.update(slot.fill(choice, values))
    return {name: written(value) for name, value in values.items() if not name.startswith("_")}


def _intent_path(
    template: Template, complications: tuple[Complication, ...], resolution: Resolution
) -> tuple[str, ...]:
    # A step that an event adds to a template which has it anyway keeps the template's place.
    own = set(template.intent_path)
    after: dict[str, list[str]] = {}
    for complication in complications:
        if complication.steps:
            anchor = next(step for step in complication.after if step in own)
            after.setdefault(anchor, []).extend(step for step in complication.steps if step not in own)
    path: list[str] = []
    end = resolution.before if resolution.before in own else template.intent_path[-1]
    for step in template.intent_path:
        path.extend(extra for extra in resolution.steps if step == end and extra not in own)
        path.append(step)
        path.extend(after.get(step, ()))
    return tuple(dict.fromkeys(path))
