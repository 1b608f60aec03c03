"""`tip prompt-test`: wordings of the system message over the same scenarios, side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from tip_assets.cli.console import json_option, reports_failures
from tip_assets.cli.experiments import batch_size_option, experiment_options, run_and_report

if TYPE_CHECKING:
    from tip_resources.domain.dataset_spec import Complexity


@click.command("prompt-test")
@click.option(
    "--prompts",
    "files",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    metavar="FILE.yaml",
    help="A variant to compare with the current prompt; may be given several times. Without any: the built-in ones.",
)
@click.option("--trials", type=click.IntRange(1, 10_000), default=30, show_default=True, help="Calls per variant.")
@click.option("--model", help="Model to ask; otherwise the settings' choice.")
@batch_size_option
@experiment_options
@json_option
@reports_failures
def prompt_test(
    files: tuple[Path, ...],
    trials: int,
    batch_size: int,
    model: str | None,
    domain: str,
    complexity: str,
    tone: str,
    seed: int,
    rehearsal: bool,
    folder: Path | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Write the same planned calls with several prompts, and compare realism, validity, tokens and latency.

    A variant is a YAML file with name: and either system: (the whole system message) or append: (text added
    to the current one). Finished variants are kept in the folder, so an interrupted run goes on.

    \b
    tip prompt-test --prompts mine.yaml --trials 50
    """
    from tip_assets.experiments.kinds import prompts_experiment, trial_spec
    from tip_assets.experiments.prompt_variants import prompt_variants

    spec = trial_spec(
        "prompt-test",
        count=trials,
        domain=domain,
        complexity=cast("Complexity", complexity),
        tone=tone,
        seed=seed,
        rehearsal=rehearsal,
        model=model,
    )
    experiment = prompts_experiment(spec, prompt_variants(files), batch_size=batch_size)
    run_and_report(experiment, folder=folder, fresh=fresh, unload_between=False, as_json=as_json)
