"""`tip bench modes`: batched writing at several batch sizes and the other modes, side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from tip_assets.cli.console import json_option, reports_failures
from tip_assets.cli.experiments import experiment_options, run_and_report
from tip_resources.domain.failures import BadInput

if TYPE_CHECKING:
    from tip_resources.domain.dataset_spec import Complexity


@click.command("modes")
@click.option("--count", type=click.IntRange(1, 10_000), default=60, show_default=True, help="Calls per variant.")
@click.option("--batch-sizes", default="1,5,15,30", show_default=True, help="Calls per model call, for batched.")
@click.option("--modes", "mode_names", default="batched,two_agent", show_default=True, help="Modes to compare.")
@experiment_options
@json_option
@reports_failures
def modes(
    count: int,
    batch_sizes: str,
    mode_names: str,
    domain: str,
    complexity: str,
    tone: str,
    seed: int,
    rehearsal: bool,
    folder: Path | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Write the same planned calls in several ways, and measure them side by side.

    Duplicates, rejects, tokens and seconds per kept call, latency and grades; on the terminal, as CSV, JSON
    and a page with charts. Finished variants are kept in the folder, so an interrupted run goes on.

    \b
    tip bench modes --count 60 --batch-sizes 1,5,15
    """
    from tip_assets.experiments.kinds import comma_separated, known_modes, modes_experiment, trial_spec

    try:
        wanted = known_modes(comma_separated(mode_names, where="--modes"))
    except BadInput as error:
        raise click.BadParameter(str(error), param_hint="--modes") from error
    sizes = comma_separated(batch_sizes, where="--batch-sizes")
    if wrong := [size for size in sizes if not size.isdecimal() or int(size) < 1]:
        raise click.BadParameter(f"{wrong[0]} is not a number of calls.", param_hint="--batch-sizes")
    spec = trial_spec(
        "bench-modes",
        count=count,
        domain=domain,
        complexity=cast("Complexity", complexity),
        tone=tone,
        seed=seed,
        rehearsal=rehearsal,
    )
    experiment = modes_experiment(spec, modes=wanted, batch_sizes=[int(size) for size in sizes])
    run_and_report(experiment, folder=folder, fresh=fresh, unload_between=False, as_json=as_json)
