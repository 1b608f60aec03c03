"""What the words of a domain's plans mean, as the prompt tells a model."""

from tip_assets.generation.prompts import SYSTEM_TEXT, CallPrompt
from tip_assets.planning.domain_library import DomainLibrary


def prompt_for(library: DomainLibrary, system_text: str = SYSTEM_TEXT) -> CallPrompt:
    """How calls of this domain are asked for; `system_text` other than tip's own is for experiments."""
    complications = {name: complication.description for name, complication in library.complications.items()}
    resolutions = {name: resolution.description for name, resolution in library.resolutions.items()}
    return CallPrompt({**library.steps, **complications, **resolutions}, system_text)
