"""One trial: one variant writes the planned calls through the assets' own writing, and is measured."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from tip_assets.experiments.measures import measured, reasons
from tip_assets.experiments.results import ResultFolder, TrialResult
from tip_assets.experiments.variants import SCRIPTED_WARNING, Experiment, Variant, settings_for, spec_for
from tip_assets.generation.acceptance import scrubbed
from tip_assets.generation.glossary import prompt_for
from tip_assets.generation.prompts import CallPrompt
from tip_assets.generation.serving import ReadSettings
from tip_assets.generation.write_calls import WritingProgress
from tip_assets.generation.writing import SUPPORTED_MODES, write_plans
from tip_assets.planning.domain_library import DomainLibrary
from tip_assets.planning.plan import call_plan_at, plan_calls
from tip_assets.quality.grading import grade_locally
from tip_assets.quality.judged_calls import JudgeTier, find_judges, judged_calls
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import Settings

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers

# How often the time spent is noted, so that a killed run loses no more than this of it.
_NOTE_SECONDS = 1.0


class TrialRun:
    """What a trial needs besides its variant.

    Args:
        library: The domain of the experiment's specification.
        settings: Reads endpoints, batches and thresholds.
        folder: Where results and unfinished work are kept.
        judge: Which tier judges the kept calls besides the measured grade; None for none.
        environ: The environment, for TIP_LLM_URL and keys.
        on_endpoints: Told which servers write.
        on_progress: Told after every call.
        on_notice: Told why the writing waits, retries or goes elsewhere.
        fleet: The machines of the fleet; None knows of none.
    """

    def __init__(
        self,
        experiment: Experiment,
        *,
        library: DomainLibrary,
        settings: ReadSettings,
        folder: ResultFolder,
        judge: JudgeTier | None,
        environ: Mapping[str, str],
        on_endpoints: Callable[[tuple[Endpoint, ...]], None],
        on_progress: Callable[[Variant, WritingProgress], None],
        on_notice: Callable[[str], None],
        fleet: "FleetServers | None" = None,
    ) -> None:
        self._experiment, self._library, self._settings, self._folder = experiment, library, settings, folder
        self._judge: JudgeTier | None = judge
        self._environ, self._fleet = environ, fleet
        self._on_endpoints, self._on_progress, self._on_notice = on_endpoints, on_progress, on_notice

    def prompt(self, variant: Variant) -> CallPrompt:
        """How a variant asks for calls."""
        return prompt_for(self._library, system_text=variant.prompt.system_text)

    def run(self, variant: Variant, key: str) -> TrialResult:
        """Writes the calls, or goes on where an interrupted run stopped, and measures them.

        Raises:
            NoEndpoint: No server has the model.
            BadInput: The variant asks for a mode that calls cannot be written in.
            PermanentFailure: No call could be had for a reason that asking again cannot mend.
            TransientFailure: The judge could not be reached.
        """
        spec = spec_for(self._experiment, variant)
        if spec.mode not in SUPPORTED_MODES:
            raise BadInput(f"calls cannot be written in the mode {spec.mode} here.")
        now = settings_for(self._settings(), variant)
        checkpoint = self._folder.checkpoint(key)
        clock = _Clock(self._folder, key)

        def plans() -> Iterator[CallPlan]:
            # The first look at the plans comes when servers are found and the engine is up: writing begins.
            clock.start()
            return plan_calls(spec, self._library)

        def progressed(progress: WritingProgress) -> None:
            clock.note()
            self._on_progress(variant, progress)

        written = write_plans(
            spec,
            plans,
            prompt=self.prompt(variant),
            settings=lambda: settings_for(self._settings(), variant),
            patience_seconds=0.0,
            checkpoint=checkpoint,
            delivered=None,
            on_endpoints=self._on_endpoints,
            on_progress=progressed,
            on_notice=lambda notice: self._on_notice(notice.text),
            fleet=self._fleet,
        )
        seconds = clock.stop()
        kept = list(written.conversations())
        ungraded: list[str] = []
        judged = self._judged(kept, now, ungraded)
        result = measured(
            written.summary,
            kept,
            rejected=reasons(reject.reason for reject in checkpoint.rejects()),
            usages=checkpoint.usages().values(),
            seconds=seconds,
            local=[grade_locally(call, call_plan_at(spec, self._library, call.index or 0)) for call in kept],
            judged=judged,
        )
        is_scripted = any(endpoint.scripted for endpoint in written.endpoints)
        notes = [SCRIPTED_WARNING] if is_scripted else []
        if variant.batch_size is not None and result.batch_size != variant.batch_size:
            notes.append(f"batch size {result.batch_size}, limited by {_limit(result.batch_reason, spec.count)}")
        if written.summary.reused:
            notes.append("interrupted once: tokens of model calls that had brought nothing by then are not counted")
        return TrialResult(
            variant=variant,
            status="done",
            models=tuple(sorted({endpoint.model for endpoint in written.endpoints})),
            endpoints=tuple(endpoint.url for endpoint in written.endpoints),
            scripted=is_scripted,
            measures=result,
            notes=(*notes, *ungraded),
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _judged(self, kept: Sequence[Conversation], settings: Settings, ungraded: list[str]) -> list[Grade] | None:
        if self._judge is None:
            return None
        judges = find_judges(self._judge, settings, environ=self._environ, fleet=self._fleet)
        grades = []
        for judged in judged_calls(((call, None) for call in kept), judges):
            if judged.grade is None:
                ungraded.append(f"call {judged.conversation.id} has no grade: {judged.why_not}")
            else:
                grades.append(judged.grade)
        return grades


def warm_up(experiment: Experiment, library: DomainLibrary) -> None:
    """Loads what planning, grading and scrubbing need, so that the first trial's seconds do not hold it."""
    plan = call_plan_at(experiment.spec, library, 0)
    turns = (Turn(speaker="agent", text="Hello, how can I help?"), Turn(speaker="customer", text="A question, please."))
    grade_locally(scrubbed(Conversation(id="warm-up", turns=turns), plan), plan)


class _Clock:
    """Seconds spent writing, those of interrupted runs included."""

    def __init__(self, folder: ResultFolder, key: str) -> None:
        self._folder, self._key = folder, key
        self._before = folder.seconds_spent(key)
        self._started: float | None = None
        self._noted = 0.0

    def start(self) -> None:
        """Begins to count; once begun, it goes on."""
        if self._started is None:
            self._started = self._noted = time.monotonic()

    def note(self) -> None:
        """Keeps the time so far, now and then."""
        now = time.monotonic()
        if now - self._noted >= _NOTE_SECONDS:
            self._noted = now
            self._folder.keep_seconds(self._key, self._total(now))

    def stop(self) -> float:
        """Keeps the time, and gives it."""
        total = self._total(time.monotonic())
        self._folder.keep_seconds(self._key, total)
        return total

    def _total(self, now: float) -> float:
        return self._before + (0.0 if self._started is None else now - self._started)


def _limit(reason: str, count: int) -> str:
    return reason if reason.startswith("context window") else f"the {count} calls asked for"


def failed(variant: Variant, reason: str) -> TrialResult:
    """A trial that came to nothing, and why."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return TrialResult(variant=variant, status="failed", reason=reason, finished_at=when)


def with_note(result: TrialResult, note: str) -> TrialResult:
    """The result with one more remark."""
    return msgspec.structs.replace(result, notes=(*result.notes, note))
