"""`tip improve`: rounds of feedback that are to bring calls nearer to real ones, each round a Dagster run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tip_assets.cli.console import json_option, print_json, reports_failures, say
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_assets.quality.realism.rounds import RoundOutcome


@click.command("improve")
@click.argument("what", metavar="DATASET|SPEC.yaml")
@click.option("--rounds", "count", type=click.IntRange(1, 100), default=1, show_default=True, help="Rounds to make.")
@click.option("--calls", type=click.IntRange(1, 500), default=40, show_default=True, help="Calls a sample.")
@click.option("--name", help="Name of the recipe; otherwise the data set's or the file's. Goes on with its rounds.")
@click.option("--rehearsal", is_flag=True, help="Use the scripted server: proves only the plumbing.")
@json_option
@reports_failures
def improve(what: str, count: int, calls: int, name: str | None, rehearsal: bool, as_json: bool) -> None:
    """Try changes of prompt, habits and scenarios, and keep those that bring calls nearer to the reference.

    A round writes a sample under the recipe as it stands, trains a discriminator to tell it from the reference calls,
    tries up to four changes on the same scenarios, and keeps what helps by more than noise while nothing else gets
    worse. It writes up to six samples: 240 calls at 40 each. The recipe lies in config/recipes/NAME.yaml and is used
    once generation.recipe names it.

    \b
    tip improve my-calls.yaml --rounds 3
    tip config set generation.recipe my-calls
    """
    from tip_assets.quality.realism.rounds import Rounds
    from tip_resources.domain.names import validate_dataset_name

    home = project_home()
    config, default_name = _round_config(what, calls, rehearsal)
    recipe = validate_dataset_name(name or default_name)
    rounds = Rounds(recipe, home)
    for number in range(count):
        if not as_json:
            say(f"round {len(rounds.outcomes()) + 1} ({number + 1} of {count}) of the recipe {recipe}")
        _run_round(recipe, config)
        if not as_json:
            _say_round(rounds.outcomes()[-1])
    _say_curve(rounds.outcomes(), recipe, as_json=as_json)


def _round_config(what: str, calls: int, rehearsal: bool) -> tuple[dict[str, Any], str]:
    """The run's configuration, and what the recipe is called unless told otherwise."""
    from tip_assets.planning.spec_files import SUFFIXES, load_spec_file
    from tip_resources.domain.codec import to_builtins
    from tip_resources.domain.failures import BadInput

    common = {"calls": calls, "rehearsal": rehearsal}
    path = Path(what)
    if path.suffix not in SUFFIXES:
        return {"dataset": what, **common}, what
    specs = load_spec_file(path)
    if len(specs) != 1:
        raise BadInput(f"the file holds {len(specs)} data sets.", where=what, mend="Give one per file.")
    return {"spec": _without_nothing(to_builtins(specs[0])), **common}, specs[0].name


def _without_nothing(fields: dict[str, Any]) -> dict[str, Any]:
    """Dagster's configuration has no null; what is left out has its default, which is the same."""
    known = {name: value for name, value in fields.items() if value is not None}
    return {name: _without_nothing(value) if isinstance(value, dict) else value for name, value in known.items()}


def _run_round(recipe: str, config: dict[str, Any]) -> None:
    from tip_assets.cli.instance import dagster_instance
    from tip_assets.definitions import defs
    from tip_assets.jobs import IMPROVE_ROUND
    from tip_assets.partitions import RECIPE_PARTITIONS
    from tip_resources.domain.failures import PermanentFailure

    with dagster_instance() as instance:
        instance.add_dynamic_partitions(RECIPE_PARTITIONS, [recipe])
        result = defs.resolve_job_def(IMPROVE_ROUND).execute_in_process(
            instance=instance,
            partition_key=recipe,
            run_config={
                "ops": {"feedback_rounds": {"config": config}},
                "loggers": {"console": {"config": {"log_level": "INFO"}}},
            },
            raise_on_error=False,
        )
    if result.success:
        return
    failed = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    raise PermanentFailure("; ".join(map(_reason, failed)) or f"run {result.run_id} failed; `tip up` shows its log.")


def _reason(failed: Any) -> str:
    """What a step failed of: tip's own words, or those of the first cause."""
    if failed.user_failure_data is not None and failed.user_failure_data.description:
        return failed.user_failure_data.description
    error = failed.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else "the step failed"


def _say_round(outcome: "RoundOutcome") -> None:
    for tried in outcome.tried:
        target = tried.effect.target
        figures = f" ({target.effect:+.3f}, {target.low:+.3f} to {target.high:+.3f})" if target else ""
        why = "; ".join(filter(None, (tried.why, *tried.effect.worse, tried.effect.reason)))
        say(f"  {'kept' if tried.is_kept else 'dropped':<8}{tried.name}{figures}{f': {why}' if why else ''}")
    if outcome.note:
        say(f"  {outcome.note}")


def _say_curve(outcomes: "Sequence[RoundOutcome]", recipe: str, *, as_json: bool) -> None:
    from tip_assets.planning.recipes import FOLDER, weight_lines
    from tip_assets.quality.realism.curve import accuracy_said, conclusion, curve_points
    from tip_resources.domain.codec import to_builtins

    points = curve_points(outcomes)
    last = outcomes[-1]
    file = FOLDER / f"{recipe}.yaml"
    if as_json:
        happenings = {"ours": last.after.happenings, "reference": last.reference_happenings}
        shown = {"shown": conclusion(points), "recipe": str(file), "curve": to_builtins(points)}
        print_json({**shown, "weights": to_builtins(last.recipe_after.weights), "happenings": happenings})
        return
    say()
    say(f"{'round':<7}{'accuracy (95 %)':<24}{'style distance':<17}{'grade':<8}rejected")
    for point in points:
        distance = "unknown" if point.style_distance is None else f"{point.style_distance:.3f}"
        grade = "unknown" if point.grade is None else f"{point.grade:.2f}"
        say(f"{point.round:<7}{accuracy_said(point):<24}{distance:<17}{grade:<8}{point.rejected}")
    say()
    say(conclusion(points))
    say(f"held against: {last.reference}")
    _say_happenings(last)
    for line in weight_lines(last.recipe_after):
        say(line)
    say(f"recipe: {file}; used once `tip config set generation.recipe {recipe}` says so")


def _say_happenings(outcome: "RoundOutcome") -> None:
    from tip_assets.quality.realism.happenings import HAPPENINGS

    ours, reference = outcome.after.happenings, outcome.reference_happenings
    if not ours or not reference:
        say("what happens in calls: unknown, too few calls in English on one side")
        return
    shown = (f"{HAPPENINGS[name].noun} {ours[name]:.0%} ({reference[name]:.0%})" for name in HAPPENINGS)
    say(f"heard in ours (in the reference): {', '.join(shown)}")
