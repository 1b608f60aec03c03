"""Gathers the report's figures in one pass over a scrubbed set: counters and ten sample calls, no more."""

import importlib.metadata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from tip_assets.exports.distributions import count_distribution, grade_distributions
from tip_assets.exports.funnel import funnel
from tip_assets.exports.manifest import ExportSummary
from tip_assets.exports.recipe_book import RecipeBook
from tip_assets.exports.report_data import Cost, Count, DuplicateFindings, Recipe, ReportData
from tip_assets.exports.report_samples import SamplePicker
from tip_assets.exports.report_text import humanised, moment
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade
from tip_resources.domain.provenance import Provenance
from tip_resources.domain.redaction import RedactionStyle
from tip_resources.domain.scenario import Scenario
from tip_resources.domain.set_metric import SetMetric

_GRADES = ("realism", "coherence", "naturalness", "overall")
# Imported sets can bring any text as a template or model name; a counter keeps this many different ones.
_MOST_NAMES = 1_000
_OTHER = "(others)"


def collect_report(
    spec: DatasetSpec,
    calls: Iterable[tuple[Conversation, Scenario | None]],
    *,
    losses: Mapping[str, int],
    exports: Sequence[ExportSummary] = (),
    domain_templates: Sequence[str] = (),
    minimum_overall: float | None = None,
    style: RedactionStyle = "type_tag",
    duplicates: DuplicateFindings | None = None,
    metrics: Sequence[SetMetric] = (),
    cost: Cost | None = None,
    judging: Cost | None = None,
    seconds: float | None = None,
    run_id: str = "",
    warnings: Sequence[str] = (),
    generated_at: datetime | None = None,
) -> ReportData:
    """Reads `calls` once; memory does not grow with the set.

    Args:
        spec: What was asked.
        calls: Scrubbed calls (original text with spans) with the scenario each was written from.
        losses: Calls lost at any stage, by reason: rejects, duplicates, low grades, unscrubbable ones.
        exports: What the writers returned; the first one's count is the number exported.
        domain_templates: All templates of the domain, so that one without a call shows as 0.
        minimum_overall: The grade a call must reach, 0-5.
        style: How the sample calls are redacted.
        duplicates: What was found to repeat another call; None when nothing did.
        metrics: Figures of the whole set: diversity, likeness to real calls, coverage.
        cost: What writing took, earlier runs of the set included; None when that is not known.
        judging: What judging took, in the same way; None when no judge was asked.
        seconds: Wall time of the run.
        run_id: Dagster run.
        warnings: Shown near the top.
        generated_at: Now, when not given.

    Raises:
        BadInput: A call was never scrubbed.
    """
    collector = _Collector(spec, domain_templates)
    for conversation, scenario in calls:
        collector.see(conversation, scenario)
    exported = exports[0].conversations if exports else collector.calls
    all_losses = Counter({reason: count for reason, count in losses.items() if count})
    if collector.calls > exported:
        all_losses["not_exportable"] += collector.calls - exported
    return ReportData(
        dataset=spec.name,
        query=spec.query,
        request=_request(spec),
        asked=spec.count,
        exported=exported,
        scripted_calls=collector.scripted,
        turns_total=collector.turns_total,
        words_total=collector.words_total,
        funnel=funnel(spec.count, exported, all_losses),
        grades=grade_distributions(collector.grades),
        minimum_overall=minimum_overall,
        graded_by=_counts(collector.graders),
        turns=count_distribution("turns per call", collector.turns),
        words=count_distribution("words per call", collector.words),
        templates=_counts(collector.templates),
        complications=_counts(collector.complications),
        outcomes=_counts(collector.outcomes),
        personal_data=_counts(collector.personal_data),
        calls_with_personal_data=collector.calls_with_personal_data,
        known_facts_replaced=collector.known_facts,
        rejects=_counts(all_losses),
        duplicates=duplicates or DuplicateFindings(),
        grade_metrics=collector.mean_metrics(),
        metrics=tuple(metrics),
        samples=collector.picker.samples(style),
        recipes=collector.recipes(),
        exports=tuple(exports),
        warnings=tuple(dict.fromkeys((*warnings, *(warning for export in exports for warning in export.warnings)))),
        seed=spec.seed,
        tokens_in=collector.tokens_in,
        tokens_out=collector.tokens_out,
        cost=cost,
        judging=judging,
        seconds=seconds,
        run_id=run_id,
        tip_version=importlib.metadata.version("transcript-intelligence-platform"),
        generated_at=(generated_at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
    )


class _Collector:
    """The counters."""

    def __init__(self, spec: DatasetSpec, domain_templates: Sequence[str]) -> None:
        self.calls = self.scripted = self.turns_total = self.words_total = self.calls_with_personal_data = 0
        self.known_facts = 0
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None
        self.grades: dict[str, Counter[float]] = {name: Counter() for name in _GRADES}
        self.turns: Counter[float] = Counter()
        self.words: Counter[float] = Counter()
        self.graders: Counter[str] = Counter()
        self._metrics: dict[str, tuple[float, int]] = {}
        self.templates: Counter[str] = Counter(dict.fromkeys(domain_templates, 0))
        self.complications: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.personal_data: Counter[str] = Counter()
        self.picker = SamplePicker(spec.seed)
        self._recipes = RecipeBook()

    def see(self, conversation: Conversation, scenario: Scenario | None) -> None:
        spans = conversation.annotations.spans
        if spans is None:
            raise BadInput("the call was never scrubbed, so it cannot be shown.", where=f"call {conversation.id}")
        self.calls += 1
        self.personal_data.update(span.type for span in spans)
        self.known_facts += sum(span.source == "persona" for span in spans)
        self.calls_with_personal_data += bool(spans)
        words = sum(len(turn.text.split()) for turn in conversation.turns)
        self.turns[len(conversation.turns)] += 1
        self.words[words] += 1
        self.turns_total += len(conversation.turns)
        self.words_total += words
        if conversation.annotations.grade:
            self._see_grade(conversation.annotations.grade)
        if conversation.provenance:
            self._see_provenance(conversation.provenance)
        if scenario:
            self._see_scenario(scenario)
        title = f"{scenario.title}: {humanised(scenario.resolution)}" if scenario else ""
        self.picker.see(conversation, title)

    def _see_grade(self, grade: Grade) -> None:
        for name in _GRADES:
            self.grades[name][round(getattr(grade, name), 2)] += 1
        for name, value in grade.metrics.items():
            if name in self._metrics or len(self._metrics) < _MOST_NAMES:
                total, count = self._metrics.get(name, (0.0, 0))
                self._metrics[name] = (total + value, count + 1)
        _add(self.graders, f"{grade.grader} {grade.rubric_version}".strip())

    def _see_scenario(self, scenario: Scenario) -> None:
        _add(self.templates, scenario.template)
        for complication in scenario.complications or ("none",):
            _add(self.complications, complication)
        _add(self.outcomes, scenario.resolution)

    def _see_provenance(self, origin: Provenance) -> None:
        self.scripted += origin.scripted
        if origin.tokens_in is not None:
            self.tokens_in = (self.tokens_in or 0) + origin.tokens_in
        if origin.tokens_out is not None:
            self.tokens_out = (self.tokens_out or 0) + origin.tokens_out
        self._recipes.see(origin)

    def mean_metrics(self) -> tuple[tuple[str, float], ...]:
        """The named metrics of the grades, averaged over the calls that have them, by name."""
        return tuple((name, total / count) for name, (total, count) in sorted(self._metrics.items()))

    def recipes(self) -> tuple[Recipe, ...]:
        """The ways calls were made, most frequent first."""
        return self._recipes.recipes()


def _add(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < _MOST_NAMES else _OTHER] += 1


def _counts(counter: Mapping[str, int]) -> tuple[Count, ...]:
    """Most frequent first, then by name."""
    return tuple(Count(name, count) for name, count in sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _request(spec: DatasetSpec) -> tuple[tuple[str, str], ...]:
    """What was understood of the query, as label and value; empty values are left out."""
    rows = (
        ("Calls", f"{spec.count:,}"),
        ("Domain", spec.domain),
        ("Complexity", spec.complexity),
        ("Tone", spec.emotional_tone),
        ("Callers", spec.caller_type),
        ("Scenarios", ", ".join(spec.scenario_templates)),
        ("Language", spec.language),
        ("Asked by", spec.requested_by),
        ("Asked at", moment(spec.created_at)),
    )
    return tuple((label, value) for label, value in rows if value)
