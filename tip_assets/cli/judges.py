"""What `tip grade` and `tip judge` share: who judges on the command line, and what is said of them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_assets.quality.calibration.result import Calibrations
    from tip_assets.quality.judged_calls import Judges, JudgeTier
    from tip_resources.settings.models import Settings

TIERS = click.Choice(["local", "network", "openai"])

_OPTIONS = (
    click.option("--model", help="Ask this model; by default the one of models.by_role.judge, else the first found."),
    click.option(
        "--rehearsal", is_flag=True, help="With --tier network: ask the scripted server; its grades mean nothing."
    ),
    click.option("--fresh", is_flag=True, help="Forget the answers that an interrupted run has kept."),
)


def judge_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose a judge."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_tier(tier: str, *, rehearsal: bool, model: str | None) -> None:
    """Raises UsageError where options contradict each other."""
    if rehearsal and tier != "network":
        raise click.UsageError("--rehearsal goes with --tier network.")
    if model and tier == "local":
        raise click.UsageError("--model goes with --tier network or openai; the local tier asks no model.")


def settings_here(home: Path) -> "Settings":
    """The settings as they are for every other command, with what `tip config set` keeps in the database.

    Where no database was ever made it holds no settings, and none is made to find that out.

    Raises:
        BadInput: A layer holds something wrong.
        TransientFailure: The database cannot be reached.
    """
    from tip_resources.database.connection import is_embedded
    from tip_resources.database.embedded import status
    from tip_resources.settings.layers import load_settings

    return load_settings(home, use_database=not is_embedded() or status(home).state != "absent")


@contextmanager
def judges_here(tier: "JudgeTier", settings: "Settings", *, rehearsal: bool, model: str | None) -> "Iterator[Judges]":
    """Who judges for as long as the block runs. A rehearsal starts its own server unless TIP_LLM_URL names one.

    Raises:
        NoEndpoint: Nobody is there; the message lists what was tried.
    """
    from tip_assets.quality.judge_choice import scripted_judges
    from tip_assets.quality.judged_calls import find_judges
    from tip_resources.fleet.fleet_servers import this_machine_alone

    if rehearsal and not os.environ.get("TIP_LLM_URL"):
        with scripted_judges(settings) as judges:
            yield judges
        return
    fleet = this_machine_alone(project_home())
    yield find_judges(tier, settings, environ=os.environ, rehearsal=rehearsal, model=model, fleet=fleet)


def calibrations_here(settings: "Settings", home: Path) -> "Calibrations":
    """The calibrations kept where this project's sets are."""
    from tip_assets.quality.calibration.result import Calibrations
    from tip_resources.storage.layout import Layout

    return Calibrations(Layout(settings.storage_url, home).calibrations)
