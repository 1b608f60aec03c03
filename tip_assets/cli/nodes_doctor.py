"""The fleet's part of `tip doctor`: nobody watches, agents that cannot be asked, clocks that are wrong.

The model servers of its machines, and whether they let others in, are in tip_resources/llm/diagnosis.py.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from node_agent.identity import node_name
from node_agent.report import NodeReport
from tip_assets.cli.nodes_members import ask_all, mend_of
from tip_resources.database.connection import database
from tip_resources.database.node_states import NodeStateStore
from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.fleet.heat import in_words
from tip_resources.fleet.node_state import lost_after_seconds
from tip_resources.fleet.poller import Address, PollOutcome
from tip_resources.launch.supervisor import running
from tip_resources.llm.diagnosis import Finding
from tip_resources.settings.layers import load_settings
from tip_resources.settings.models import Settings

_NOTED_SKEW_SECONDS = 120.0
_NAMED = 10


def fleet_findings(home: Path) -> Iterator[Finding]:
    """Asks the agents of all listed machines; takes as long as the slowest, at most fleet.poll_timeout_seconds."""
    try:
        settings = load_settings(home)
        yield from _watch(home, settings)
    except (PermanentFailure, TransientFailure) as failure:
        yield Finding("fleet", False, str(failure))
        return
    listed = [Address(node.name, node.url) for node in settings.fleet.nodes if node.name != node_name()]
    if listed:
        yield from _agents(ask_all(listed, settings.fleet.poll_timeout_seconds))


def _watch(home: Path, settings: Settings) -> Iterator[Finding]:
    """Whether somebody watches, where somebody should: a machine that nobody watches is taken for lost."""
    listed = len(settings.fleet.nodes)
    if not running(home):
        if listed:
            yield Finding("fleet watch", True, f"nobody watches the {listed} machines of fleet.nodes.", "tip up")
        return
    ages = [written.age_seconds for written in NodeStateStore(database(home)).all().values()]
    newest = min(ages, default=None)
    if newest is not None and newest <= lost_after_seconds(settings.node.health_check_seconds):
        yield Finding("fleet watch", True, f"the newest state was written {in_words(newest)} ago.")
        return
    since = "at all" if newest is None else f"for {in_words(newest)}"
    mend = "Wait a minute if tip up has just started; else stop it, start it again, and look into .tip/logs."
    yield Finding("fleet watch", False, f"tip up is running, but no state of a machine was written {since}.", mend)


def _agents(outcomes: Sequence[PollOutcome]) -> Iterator[Finding]:
    """One finding for all that answer, one for each that does not, or whose clock is wrong."""
    answering = [outcome for outcome in outcomes if outcome.report is not None]
    if answering:
        names = ", ".join(outcome.address.name for outcome in answering[:_NAMED])
        more = f" and {len(answering) - _NAMED} more" if len(answering) > _NAMED else ""
        yield Finding("agents", True, f"{len(answering)} of {len(outcomes)} answer: {names}{more}")
    for outcome in outcomes:
        name = f"agent of {outcome.address.name}"
        if outcome.report is None:
            yield Finding(name, False, f"{outcome.address.url}: {outcome.reason}", mend_of(outcome))
            continue
        if outcome.reason:
            yield Finding(name, False, outcome.reason, "Give one of them another host name, or end the second agent.")
        yield from _clock(name, outcome.report)


def _clock(name: str, report: NodeReport) -> Iterator[Finding]:
    skew = report.reported_at_unix_seconds - time.time()
    if abs(skew) > _NOTED_SKEW_SECONDS:
        detail = f"its clock is {in_words(abs(skew))} {'ahead' if skew > 0 else 'behind'}. tip does not depend on it."
        mend = "On Linux: timedatectl set-ntp true. On Windows: Settings > Time > Sync now."
        yield Finding(name, True, detail, mend)
