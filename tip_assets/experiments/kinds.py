"""The three experiments: ways of writing, wordings of the prompt, models."""

from collections.abc import Sequence
from typing import get_args

from tip_assets.experiments.variants import Experiment, ExperimentKind, PromptVariant, Variant
from tip_resources.domain.dataset_spec import Complexity, DatasetSpec, GenerationMode
from tip_resources.domain.failures import BadInput


def trial_spec(
    name: str,
    *,
    count: int,
    domain: str,
    complexity: Complexity = "simple",
    tone: str = "neutral",
    seed: int = 1,
    rehearsal: bool = False,
    model: str | None = None,
) -> DatasetSpec:
    """The specification whose calls every variant writes."""
    return DatasetSpec(
        name=name,
        count=count,
        domain=domain,
        complexity=complexity,
        emotional_tone=tone,
        seed=seed,
        rehearsal=rehearsal,
        model=model,
        requested_by="experiment",
    )


def known_modes(names: Sequence[str]) -> tuple[GenerationMode, ...]:
    """Names of modes, checked.

    Raises:
        BadInput: There is no such mode.
    """
    known: dict[str, GenerationMode] = {mode: mode for mode in get_args(GenerationMode)}
    if unknown := [name for name in names if name not in known]:
        raise BadInput(f"{unknown[0]!r} is no mode.", where="modes", mend=f"Known are {', '.join(known)}.")
    return tuple(known[name] for name in names)


def modes_experiment(spec: DatasetSpec, *, modes: Sequence[GenerationMode], batch_sizes: Sequence[int]) -> Experiment:
    """Batched writing at several batch sizes, and the other modes beside it.

    Raises:
        BadInput: Nothing to compare, or a batch of no calls.
    """
    if any(size < 1 for size in batch_sizes):
        raise BadInput("a batch has at least 1 call.", where="batch sizes")
    batched = [Variant(name=f"batched {size}", batch_size=size) for size in dict.fromkeys(batch_sizes)]
    others = [Variant(name=mode.replace("_", " "), mode=mode) for mode in dict.fromkeys(modes) if mode != "batched"]
    variants = (*(batched if "batched" in modes else ()), *others)
    return _experiment("modes", "Ways of writing calls", spec, variants)


def prompts_experiment(spec: DatasetSpec, prompts: Sequence[PromptVariant], *, batch_size: int = 1) -> Experiment:
    """Wordings of the system message; with a batch of 1 every call is a sample of its own for the latency."""
    variants = [Variant(name=prompt.name, prompt=prompt, batch_size=batch_size) for prompt in prompts]
    return _experiment("prompts", "Prompt test", spec, variants)


def models_experiment(spec: DatasetSpec, models: Sequence[str], *, batch_size: int = 1) -> Experiment:
    """Models, each by the name its server lists it under; `batch_size` as for prompts."""
    variants = [Variant(name=model, model=model, batch_size=batch_size) for model in models]
    return _experiment("models", "Model bakeoff", spec, variants)


def comma_separated(text: str, *, where: str) -> tuple[str, ...]:
    """The parts of `a,b,c`, each once, in order.

    Raises:
        BadInput: There is none.
    """
    parts = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not parts:
        raise BadInput("nothing named.", where=where, mend="Write them as a,b,c.")
    return parts


def _experiment(kind: ExperimentKind, title: str, spec: DatasetSpec, variants: Sequence[Variant]) -> Experiment:
    if not variants:
        raise BadInput("there is nothing to compare.", mend="Name at least one variant.")
    return Experiment(kind=kind, title=title, spec=spec, variants=tuple(variants))
