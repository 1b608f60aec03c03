"""`tip grade`: grades on the calls of a plain JSONL file, without Dagster. It streams: few calls are held at a time."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tip_assets.cli.console import json_option, reports_failures, say
from tip_assets.cli.judges import TIERS, calibrations_here, check_tier, judge_options, judges_here, settings_here
from tip_assets.cli.stage_files import StageCalls, check_files, input_argument, output_argument
from tip_resources.domain.conversation import Conversation
from tip_resources.home import project_home
from tip_resources.storage.jsonl import writing_jsonl

if TYPE_CHECKING:
    from tip_assets.quality.calibration.result import Calibrations
    from tip_assets.quality.judged_calls import Judges
    from tip_resources.domain.grade import Grade

_SIDES = ("realism", "coherence", "naturalness", "overall")


@click.command("grade")
@input_argument
@output_argument
@click.option(
    "--tier",
    type=TIERS,
    default="local",
    show_default=True,
    help="Who grades. local: measures the form of a call, no model. network: a model of yours judges. openai: a "
    "paid API judges.",
)
@click.option("--samples", type=click.IntRange(1, 9), help="How often a judge is asked about each call. [default: 1]")
@judge_options
@json_option
@reports_failures
def grade(
    input_file: Path,
    output_file: Path,
    tier: str,
    samples: int | None,
    model: str | None,
    rehearsal: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Copy IN.jsonl to OUT.jsonl with a grade on every call, under annotations.grade.

    Realism, coherence, naturalness and overall are 0-5; the named metrics are 0-1. docs/grading.md says
    what each of them measures. A judge sees redacted text only; its answers are kept in OUT.jsonl.parts until every
    call has a grade, so an interrupted run goes on where it stopped.
    """
    check_tier(tier, rehearsal=rehearsal, model=model)
    if samples and tier == "local":
        raise click.UsageError("--samples goes with --tier network or openai; measuring twice gives the same.")
    check_files(input_file, output_file, None)
    calls = StageCalls(input_file, "grade")
    means = _Means()
    with ExitStack() as stack:
        if tier == "local":
            graded, judging = _measured(calls), None
        else:
            parts = output_file.with_name(f"{output_file.name}.parts")
            if fresh:
                shutil.rmtree(parts, ignore_errors=True)
            home = project_home()
            settings = settings_here(home)
            judges = stack.enter_context(
                judges_here("openai" if tier == "openai" else "network", settings, rehearsal=rehearsal, model=model)
            )
            said = _calibration_in_words(judges, calibrations_here(settings, home))
            judging = _Judging(calls, judges, samples or settings.quality.judge_samples, parts, said)
            graded = judging.graded()
        with writing_jsonl(output_file) as writer:
            for conversation in graded:
                writer.write(conversation)
                if given := conversation.annotations.grade:
                    means.add(given)
    summary = {"graded": means.count, "tier": tier, "mean": means.by_side}
    if judging is not None:
        summary |= judging.finish(as_json)
    calls.finish(summary, f"{means.count} calls graded, on average {means.in_words()} of 5", output_file, as_json)


class _Means:
    """Mean grades by side."""

    def __init__(self) -> None:
        self.count = 0
        self._totals = dict.fromkeys(_SIDES, 0.0)

    def add(self, grade: "Grade") -> None:
        self.count += 1
        for side in _SIDES:
            self._totals[side] += getattr(grade, side)

    @property
    def by_side(self) -> dict[str, float | None]:
        return {side: round(total / self.count, 3) if self.count else None for side, total in self._totals.items()}

    def in_words(self) -> str:
        said = [f"{side} {mean:.2f}" for side, mean in self.by_side.items() if mean is not None]
        return ", ".join(said) or "nothing"


def _measured(calls: StageCalls) -> Iterator[Conversation]:
    from tip_assets.quality.local_grade import local_grade

    for conversation in calls.read():
        yield _with_grade(conversation, local_grade(conversation))


def _with_grade(conversation: Conversation, grade: "Grade") -> Conversation:
    annotations = msgspec.structs.replace(conversation.annotations, grade=grade)
    return msgspec.structs.replace(conversation, annotations=annotations)


def _calibration_in_words(judges: "Judges", kept: "Calibrations") -> str:
    from tip_assets.quality.calibration.result import words_of
    from tip_assets.quality.judge_choice import calibration_of

    return words_of(calibration_of(judges, kept))


class _Judging:
    """The file's calls with a judge's grades; counts what is worth telling."""

    def __init__(self, calls: StageCalls, judges: "Judges", samples: int, parts: Path, calibration: str) -> None:
        from tip_assets.quality.agreement import Correlation, SampleAgreement

        self._calls, self._judges, self._samples, self._parts = calls, judges, samples, parts
        self._calibration = calibration
        self._asked = self._ungraded = 0
        self._agreement, self._with_local, self._with_length = SampleAgreement(), Correlation(), Correlation()

    def graded(self) -> Iterator[Conversation]:
        """Every call in order; one without a grade comes as it was and is named."""
        from upath import UPath

        from tip_assets.quality.grading import grade_locally
        from tip_assets.quality.judge_answers import JudgeAnswers
        from tip_assets.quality.judge_panel import overall_points
        from tip_assets.quality.judged_calls import judged_calls

        planned = ((call, None) for call in self._calls.read())
        answers = JudgeAnswers(UPath(self._parts))
        for one in judged_calls(planned, self._judges, samples=self._samples, answers=answers):
            self._asked += one.asked
            if one.grade is None:
                self._ungraded += 1
                self._calls.reject(f"call {one.conversation.id} has no grade: {one.why_not}")
                yield one.conversation
                continue
            self._agreement.add([overall_points(answer) for answer in one.answers])
            self._with_local.add(grade_locally(one.conversation).overall, one.grade.overall)
            self._with_length.add(sum(len(turn.text) for turn in one.conversation.turns), one.grade.overall)
            yield _with_grade(one.conversation, one.grade)

    def finish(self, as_json: bool) -> dict[str, Any]:
        """Forgets the answers once every call has its grade, and tells what there is to tell."""
        if not self._ungraded:
            shutil.rmtree(self._parts, ignore_errors=True)
        figures = {
            "alpha": self._agreement.alpha,
            "samples_difference": self._agreement.mean_absolute_difference,
            "correlation_with_local": self._with_local.r,
            "correlation_with_length": self._with_length.r,
        }
        if not as_json:
            say(f"judge: {self._judges.model}, {self._calibration}")
            known = [f"{name.replace('_', ' ')} {value:.2f}" for name, value in figures.items() if value is not None]
            if known:
                say(", ".join(known))
        rounded = {name: None if value is None else round(value, 4) for name, value in figures.items()}
        return {
            "judge": self._judges.model,
            "calibration": self._calibration,
            "samples": self._samples,
            "answers_asked": self._asked,
            **rounded,
        }
