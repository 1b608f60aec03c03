"""All metrics of a set in one list: diversity, style, coverage, and what each was measured on."""

import time
from collections.abc import Callable, Sequence
from statistics import fmean

import msgspec

from tip_assets.quality.metrics.diversity import EQUAL_SIZE, diversity_metrics
from tip_assets.quality.metrics.measured_set import MeasuredSet, measured_set
from tip_assets.quality.metrics.sampling import Sampled, sample_of_calls
from tip_assets.quality.metrics.style import Spreads, spreads, style_metrics, what_is_off
from tip_assets.quality.realism.reference import Reference
from tip_resources.domain.set_metric import SetMetric

# The figures that are shown over the history of data sets, and as the headline of the page.
HEADLINES = (
    "compression_ratio",
    "distinct_2",
    "self_repetition",
    "self_bleu",
    "vendi_score",
    "mattr",
    "template_rate",
    "plans_delivered",
    "templates_covered",
    "facts_used",
    "intents_recognised",
)


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """`off` are sentences on what differs from the reference, the farthest first; `left_out` calls by reason.

    `spreads` are the figures of style as they spread over the calls, ours and the reference's, by name.
    """

    calls: int
    measured: int
    size: str
    reference: str
    reference_is_built_in: bool
    reference_calls: int
    metrics: tuple[SetMetric, ...]
    off: tuple[str, ...]
    spreads: dict[str, Spreads]
    left_out: dict[str, int]
    notes: dict[str, int]
    seconds: float

    def value(self, name: str) -> float | None:
        """Of one metric; None where it is unknown or not among the rows."""
        return next((metric.value for metric in self.metrics if metric.name == name), None)

    @property
    def style_distance(self) -> float | None:
        """Mean distance of the conversational figures in deviations of the reference; None without a reference."""
        apart = [metric.distance for metric in self.metrics if metric.group == "style" and metric.distance is not None]
        return fmean(apart) if apart else None


def analyse(
    sample: Sampled,
    reference: Reference,
    *,
    more: Sequence[SetMetric] = (),
    embedding_model: str = "",
    on_call: Callable[[], object] = lambda: None,
) -> Analysis:
    """Measures a sample against the reference calls.

    Args:
        sample: The calls.
        reference: Real or reference calls; a big one is sampled as well.
        more: Rows measured elsewhere (coverage, flow), put behind ours.
        embedding_model: For the Vendi score by meaning; empty leaves it out.
        on_call: Called after each call of both sets.
    """
    started = time.perf_counter()
    ours = measured_set("the set", sample, on_call)
    theirs = measured_set(reference.name, sample_of_calls(reference.conversations), on_call)
    metrics = (
        *diversity_metrics(ours, theirs, embedding_model),
        *style_metrics(ours.style, theirs.style),
        *more,
    )
    return Analysis(
        calls=sample.total,
        measured=len(ours.words),
        size=ours.size,
        reference=reference.name,
        reference_is_built_in=reference.is_built_in,
        reference_calls=len(theirs.words),
        metrics=metrics,
        off=tuple(what_is_off(metrics)),
        spreads=spreads(ours.style, theirs.style),
        left_out=ours.left_out,
        notes=notes_of(ours, theirs),
        seconds=round(time.perf_counter() - started, 3),
    )


def notes_of(ours: MeasuredSet, theirs: MeasuredSet) -> dict[str, int]:
    """What is odd about the calls, and reference calls that could not be measured."""
    return {**ours.notes, **{f"of the reference {reason}": count for reason, count in theirs.left_out.items()}}


def is_equal_size(metric: SetMetric) -> bool:
    """Whether the row compares equal amounts of the set and the reference."""
    return metric.name.endswith(EQUAL_SIZE)
