"""`tip judge`: holds graders against people's labels, and lists what came of it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tip_assets.cli.console import json_option, print_json, reports_failures, say
from tip_assets.cli.judges import TIERS, calibrations_here, check_tier, judge_options, judges_here, settings_here
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_assets.quality.calibration.calibrate import GradedCall
    from tip_assets.quality.calibration.figures import Figure
    from tip_assets.quality.calibration.result import Calibration
    from tip_assets.quality.judged_calls import Judges
    from tip_resources.domain.conversation import Conversation
    from tip_resources.settings.models import Settings

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_BUILT_IN = "built-in"


@click.group("judge")
def judge() -> None:
    """Hold graders against people's labels.

    A judge's grade decides about calls only after it was found calibrated with the rubric it is asked by.

    \b
    Examples:
      tip judge calibrate
      tip judge calibrate --tier local
      tip judge calibrate --labels our-calls.jsonl --model qwen3-14b
      tip judge list
    """


@judge.command("calibrate")
@click.option("--tier", type=TIERS, default="network", show_default=True, help="Whose grades are held against labels.")
@click.option(
    "--labels",
    type=_FILE,
    multiple=True,
    help="More labelled calls: JSONL with annotations.grade, or with --calls a CSV of "
    "id,realism,coherence,naturalness,overall. May be given more than once.",
)
@click.option("--calls", type=_FILE, help="The calls that the ids of a CSV name, as JSONL.")
@click.option("--only-labels", is_flag=True, help="Leave out the labelled calls that ship with tip.")
@click.option(
    "--samples", type=click.IntRange(1, 9), default=3, show_default=True, help="How often each call is asked."
)
@judge_options
@json_option
@reports_failures
def calibrate_command(
    tier: str,
    labels: tuple[Path, ...],
    calls: Path | None,
    only_labels: bool,
    samples: int,
    model: str | None,
    rehearsal: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Grade labelled calls and say how the grades stand to the labels.

    Correlation first (Pearson and Spearman, 0.80 or more), then Cohen's quadratic-weighted kappa (0.60 or more), on 20
    calls or more; by the overall grade, with 95 % intervals. The labels that ship with tip are its maintainers'
    judgement. The result is kept for this model and rubric.
    """
    from tip_assets.quality.calibration.calibrate import calibrate, local_grader

    check_tier(tier, rehearsal=rehearsal, model=model)
    if only_labels and not labels:
        raise click.UsageError("--only-labels needs --labels.")
    home = project_home()
    settings = settings_here(home)
    labelled, sources = _labelled(labels, calls, only_labels=only_labels)
    kept = calibrations_here(settings, home)

    def ungraded(why: str) -> None:
        click.echo(f"tip: {why}", err=True)

    if tier == "local":
        result = calibrate(labelled, local_grader, name="tip-local", tier="local", labels=sources, on_ungraded=ungraded)
    else:
        chosen = "openai" if tier == "openai" else "network"
        with judges_here(chosen, settings, rehearsal=rehearsal, model=model) as judges:
            result = calibrate(
                labelled,
                lambda some: _graded_by(judges, some, samples, settings, home, fresh=fresh),
                name=judges.model,
                tier=judges.tier,
                labels=sources,
                samples=samples,
                is_scripted=any(endpoint.scripted for endpoint in judges.endpoints),
                on_ungraded=ungraded,
            )
    kept.keep(result)
    if as_json:
        print_json(_as_json(result))
    else:
        _say(result)


@judge.command("list")
@json_option
@reports_failures
def list_command(as_json: bool) -> None:
    """List the graders that were held against labels, the latest first."""
    home = project_home()
    found = calibrations_here(settings_here(home), home).all()
    if as_json:
        print_json({"calibrations": [_as_json(one) for one in found]})
        return
    for one in found:
        say(f"{one.calibrated_at}  {one.tier}  {one.grader}  {one.rubric_version}  {one.in_words()}")
    if not found:
        say("no grader was held against labels yet: tip judge calibrate")


def _labelled(
    labels: tuple[Path, ...], calls: Path | None, *, only_labels: bool
) -> "tuple[list[Conversation], tuple[str, ...]]":
    from tip_assets.quality.calibration.labels import built_in_labels, read_labelled_calls, read_labels_table

    found = [] if only_labels else built_in_labels()
    for path in labels:
        if path.suffix.lower() != ".csv":
            found += read_labelled_calls(path)
        elif calls is None:
            raise click.UsageError(f"{path.name} holds labels alone: name the file with the calls with --calls.")
        else:
            found += read_labels_table(path, calls)
    return found, (*(() if only_labels else (_BUILT_IN,)), *(path.name for path in labels))


def _graded_by(
    judges: "Judges", calls: "Iterable[Conversation]", samples: int, settings: "Settings", home: Path, *, fresh: bool
) -> "Iterator[GradedCall]":
    from tip_assets.quality.calibration.calibrate import GradedCall
    from tip_assets.quality.judge_answers import JudgeAnswers
    from tip_assets.quality.judged_calls import judged_calls
    from tip_resources.storage.layout import Layout

    answers = JudgeAnswers(Layout(settings.storage_url, home).calibrations / "answers")
    if fresh:
        answers.clear()
    for one in judged_calls(((call, None) for call in calls), judges, samples=samples, answers=answers):
        yield GradedCall(grade=one.grade, answers=one.answers, why_not=one.why_not)


def _as_json(result: "Calibration") -> dict[str, object]:
    from tip_resources.domain.codec import to_builtins

    return {"verdict": result.verdict, "is_calibrated": result.is_calibrated, **to_builtins(result)}


def _say(result: "Calibration") -> None:
    say(f"{result.grader} ({result.tier}, rubric {result.rubric_version}) on {', '.join(result.labels)}:")
    say(f"{'':12} {'Pearson r':>20} {'Spearman r':>20} {'kappa':>20} {'bias':>6} {'off by':>6}")
    for side, found in result.sides.items():
        cells = " ".join(f"{_cell(figure):>20}" for figure in (found.pearson, found.spearman, found.kappa))
        say(f"{side:12} {cells} {found.bias:+6.2f} {found.mean_absolute_difference:6.2f}")
    more = {
        "samples agree (Krippendorff's alpha)": result.alpha,
        "mean difference of two samples": result.samples_difference,
        "shift with the criteria reversed": result.order_shift,
        "gain by polite padding": result.padding_gain,
        "correlation with length": result.length_correlation,
        "the same of the labels": result.people_length_correlation,
    }
    for name, value in more.items():
        if value is not None:
            say(f"{name}: {value:+.2f}")
    say(result.in_words())


def _cell(figure: "Figure") -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "unknown"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"
