"""What an experiment compares: the same planned calls, written by several variants. Values only.

How one variant is run lives in trial.py, what is measured in measures.py.
"""

from typing import Literal

import msgspec

from tip_assets.generation.prompts import SYSTEM_TEXT
from tip_resources.domain.dataset_spec import DatasetSpec, GenerationMode
from tip_resources.settings.models import GenerationSettings, IntRange, Settings

ExperimentKind = Literal["modes", "prompts", "models"]

SCRIPTED_WARNING = "scripted server: this proves only the plumbing"


class PromptVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A way to word the system message: `system` replaces the text tip uses, `append` adds to its end."""

    name: str
    system: str | None = None
    append: str | None = None

    @property
    def system_text(self) -> str:
        """The whole system message."""
        text = SYSTEM_TEXT if self.system is None else self.system
        return text if self.append is None else f"{text.rstrip()}\n\n{self.append.strip()}\n"


CURRENT_PROMPT = PromptVariant(name="current")


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the comparison; None leaves a choice to the specification and the settings."""

    name: str
    mode: GenerationMode = "batched"
    batch_size: int | None = None
    model: str | None = None
    prompt: PromptVariant = CURRENT_PROMPT


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """Variants that each write the calls of one specification: the same scenarios and people for all."""

    kind: ExperimentKind
    title: str
    spec: DatasetSpec
    variants: tuple[Variant, ...]


def spec_for(experiment: Experiment, variant: Variant) -> DatasetSpec:
    """The specification as this variant writes it."""
    spec = experiment.spec
    return msgspec.structs.replace(spec, mode=variant.mode, model=variant.model or spec.model)


def settings_for(settings: Settings, variant: Variant) -> Settings:
    """The settings with the variant's batch size, where it names one."""
    if variant.batch_size is None:
        return settings
    only = IntRange(low=variant.batch_size, high=variant.batch_size)
    generation: GenerationSettings = settings.generation.model_copy(
        update={"batch_size_simple": only, "batch_size_complex": only}
    )
    return settings.model_copy(update={"generation": generation})
