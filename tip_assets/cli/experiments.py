"""What the experiment commands share: their options, running with a bar, and saying what came of it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tip_assets.cli.console import EXIT_DONE_WITH_REJECTS, EXIT_FAILED, print_json, progress_bar, say

if TYPE_CHECKING:
    from tip_assets.experiments.results import Comparison, TrialResult
    from tip_assets.experiments.variants import Experiment, Variant
    from tip_assets.generation.write_calls import WritingProgress


batch_size_option = click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Calls per model call; 1 makes every trial a sample of its own for the latency.",
)


def experiment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every experiment has."""
    options = (
        click.option("--domain", default="healthcare", show_default=True, help="Domain of the calls."),
        click.option(
            "--complexity", type=click.Choice(["simple", "complex"]), default="simple", show_default=True, help="Calls."
        ),
        click.option("--tone", default="neutral", show_default=True, help="Emotional tone of the callers."),
        click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of the plans."),
        click.option("--rehearsal", is_flag=True, help="Use the scripted server: proves only the plumbing."),
        click.option(
            "--dir",
            "folder",
            type=click.Path(path_type=Path, file_okay=False),
            help="Where results are kept; the same command with the same folder goes on where it stopped.",
        ),
        click.option("--fresh", is_flag=True, help="Forget what earlier runs left in the folder, and start over."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def run_and_report(
    experiment: "Experiment", *, folder: Path | None, fresh: bool, unload_between: bool, as_json: bool
) -> None:
    """Runs the experiment and prints the comparison; ends with 3 when a variant could not be tried, 1 when none could.

    Raises:
        BadInput: The domain is unknown, or something in the folder cannot be read.
    """
    import os

    from tip_assets.experiments.runner import run_experiment
    from tip_assets.experiments.variants import SCRIPTED_WARNING
    from tip_assets.planning.domain_library import USER_FOLDER, load_library
    from tip_resources.fleet.fleet_servers import this_machine_alone
    from tip_resources.home import project_home, state_folder
    from tip_resources.settings.layers import load_settings

    home = project_home()
    folder = folder or state_folder(home) / "experiments" / experiment.spec.name
    library = load_library(experiment.spec.domain, home / USER_FOLDER)
    if experiment.spec.rehearsal and not as_json:
        say(SCRIPTED_WARNING)
    with progress_bar(experiment.spec.count * len(experiment.variants), experiment.kind) as bar:
        finished = 0

        def advance(variant: "Variant", progress: "WritingProgress") -> None:
            bar.set_postfix_str(variant.name, refresh=False)
            bar.update(finished + progress.kept - bar.n)

        def next_trial(_result: "TrialResult") -> None:
            nonlocal finished
            finished += experiment.spec.count
            bar.update(finished - bar.n)

        comparison = run_experiment(
            experiment,
            library=library,
            settings=lambda: load_settings(home, use_database=False),
            folder=folder,
            fresh=fresh,
            unload_between=unload_between,
            environ=os.environ,
            on_trial=next_trial,
            on_progress=advance,
            on_notice=lambda reason: click.echo(reason, err=True),
            fleet=this_machine_alone(home),
        )
    _say(comparison, folder, as_json=as_json)
    if comparison.failed:
        raise SystemExit(EXIT_FAILED if len(comparison.failed) == len(comparison.trials) else EXIT_DONE_WITH_REJECTS)


def _say(comparison: "Comparison", folder: Path, *, as_json: bool) -> None:
    from tip_assets.experiments.comparison_files import comparison_document
    from tip_assets.experiments.comparison_table import remarks, text_table
    from tip_assets.experiments.variants import SCRIPTED_WARNING

    files = {kind: str(folder / f"results.{kind}") for kind in ("json", "csv", "html")}
    if as_json:
        print_json({**comparison_document(comparison), "files": files})
        return
    say(f"{comparison.experiment.title}: {comparison.experiment.spec.count} calls per variant, the same plans for all")
    for line in comparison.system.lines():
        say(f"  {line}")
    say()
    say(text_table(comparison))
    say()
    for remark in remarks(comparison):
        say(f"- {remark}")
    if comparison.is_scripted:
        say(SCRIPTED_WARNING)
    say(f"table and charts: {files['html']}")
    say(f"figures: {files['csv']}, {files['json']}")
