"""`tip bakeoff`: models over the same scenarios, side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from tip_assets.cli.console import json_option, reports_failures
from tip_assets.cli.experiments import batch_size_option, experiment_options, run_and_report

if TYPE_CHECKING:
    from tip_resources.domain.dataset_spec import Complexity


@click.command("bakeoff")
@click.option("--models", required=True, metavar="A,B,C", help="Models, by the names their servers list.")
@click.option("--trials", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Calls per model.")
@click.option("--unload", is_flag=True, help="Ask the server to drop each model before the next, where it can.")
@batch_size_option
@experiment_options
@json_option
@reports_failures
def bakeoff(
    models: str,
    trials: int,
    batch_size: int,
    unload: bool,
    domain: str,
    complexity: str,
    tone: str,
    seed: int,
    rehearsal: bool,
    folder: Path | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Have several models write the same planned calls, and compare grades, validity, tokens and latency.

    A model that no server has becomes a row that says so, and the exit code is 3. Finished models are kept
    in the folder, so an interrupted run goes on. With --rehearsal every model is the scripted server.

    \b
    tip bakeoff --models phi-4,qwen2.5-14b --trials 10 --unload
    """
    from tip_assets.experiments.kinds import comma_separated, models_experiment, trial_spec

    spec = trial_spec(
        "bakeoff",
        count=trials,
        domain=domain,
        complexity=cast("Complexity", complexity),
        tone=tone,
        seed=seed,
        rehearsal=rehearsal,
    )
    experiment = models_experiment(spec, comma_separated(models, where="--models"), batch_size=batch_size)
    run_and_report(experiment, folder=folder, fresh=fresh, unload_between=unload, as_json=as_json)
