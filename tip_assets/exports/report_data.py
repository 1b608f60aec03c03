"""What the data set report says, as plain frozen values. Gathered in report_collect.py, drawn in report.py."""

import msgspec

from tip_assets.exports.manifest import ExportSummary
from tip_resources.domain.set_metric import SetMetric


class Count(msgspec.Struct, frozen=True):
    """How many of something."""

    name: str
    count: int


class FunnelStep(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that reached a step, and those lost on the way to it, by reason."""

    name: str
    count: int
    losses: tuple[Count, ...] = ()

    @property
    def lost(self) -> int:
        """All losses of the step."""
        return sum(loss.count for loss in self.losses)


class Bin(msgspec.Struct, frozen=True):
    """Values v with low <= v < high; the last bin of a distribution holds its upper end too."""

    low: float
    high: float
    count: int


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """How a figure spreads over the calls; the statistics are None when nothing was measured."""

    name: str
    count: int
    bins: tuple[Bin, ...] = ()
    low: float | None = None
    median: float | None = None
    mean: float | None = None
    high: float | None = None


class SampleTurn(msgspec.Struct, frozen=True):
    """One redacted turn."""

    speaker: str
    text: str


class SampleCall(msgspec.Struct, frozen=True, kw_only=True):
    """A redacted call to read. `why` says how it was chosen; `turns` counts those not shown as well."""

    id: str
    why: str
    title: str
    overall: float | None
    turns: int
    shown: tuple[SampleTurn, ...]


class DuplicatePair(msgspec.Struct, frozen=True, kw_only=True):
    """A removed call beside the kept one it repeats, both redacted and cut short.

    `kept_in` is the data set that delivered the kept one earlier; empty for the same set.
    """

    method: str
    similarity: float
    kept_id: str
    kept_in: str = ""
    kept: tuple[SampleTurn, ...]
    removed: tuple[SampleTurn, ...]


class DuplicateFindings(msgspec.Struct, frozen=True, kw_only=True):
    """All duplicates by the method that found them, and some of them to look at."""

    by_method: tuple[Count, ...] = ()
    pairs: tuple[DuplicatePair, ...] = ()


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What writing or judging the set took. `dollars` is None when a price is unknown.

    `machine_seconds` add up over streams; None where no times are on record.
    """

    dollars: float | None
    tokens_in: int
    tokens_out: int
    machine_seconds: float | None


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """One way calls of the set were made, and how many were made so."""

    calls: int
    model: str
    endpoint: str
    node: str
    tier: str
    prompt_template: str
    prompt_hash: str
    parameters: str
    tip_version: str
    scripted: bool


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the report. All text is redacted; names, personas and rejected text are not in here."""

    dataset: str
    query: str
    request: tuple[tuple[str, str], ...]
    asked: int
    exported: int
    scripted_calls: int
    turns_total: int
    words_total: int
    funnel: tuple[FunnelStep, ...]
    grades: tuple[Distribution, ...]
    minimum_overall: float | None
    graded_by: tuple[Count, ...]
    turns: Distribution
    words: Distribution
    templates: tuple[Count, ...]
    complications: tuple[Count, ...]
    outcomes: tuple[Count, ...]
    personal_data: tuple[Count, ...]
    calls_with_personal_data: int
    known_facts_replaced: int
    rejects: tuple[Count, ...]
    duplicates: DuplicateFindings
    grade_metrics: tuple[tuple[str, float], ...]
    metrics: tuple[SetMetric, ...]
    samples: tuple[SampleCall, ...]
    recipes: tuple[Recipe, ...]
    exports: tuple[ExportSummary, ...]
    warnings: tuple[str, ...]
    seed: int
    tokens_in: int | None
    tokens_out: int | None
    cost: Cost | None
    judging: Cost | None = None
    seconds: float | None
    run_id: str
    tip_version: str
    generated_at: str
