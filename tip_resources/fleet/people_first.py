"""When a machine is left to its people: signs of use, and quiet hours. Pure.

Measuring the signs is in node_agent; what follows from them in node_state.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from node_agent.report import NodeReport
from tip_resources.settings.fleet_models import FleetSettings, QuietHours, Weekday

# A video in full screen uses a few percent of a card to decode; a game uses what it gets.
_GAME_RATIO = 0.2
_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


@dataclass(frozen=True)
class Use:
    """Somebody uses the machine, or did until `last_seen_at` (by our steady clock)."""

    sign: str
    last_seen_at: float


def next_use(
    report: NodeReport, fleet: FleetSettings, before: Use | None, *, oldest_seconds: float, now: float
) -> Use | None:
    """The use of the machine after this report; None once no sign came for `fleet.in_use_release_seconds`."""
    if sign := sign_of_use(report, fleet, oldest_seconds):
        return Use(sign, now)
    if before is not None and now - before.last_seen_at < fleet.in_use_release_seconds:
        return before
    return None


def sign_of_use(report: NodeReport, fleet: FleetSettings, oldest_seconds: float) -> str:
    """What shows that somebody needs the machine now; empty for nothing, or nothing that is known."""
    activity = report.activity
    age = next((run.age_seconds for run in report.collectors if run.name == "activity"), 0.0)
    if activity is None or age > oldest_seconds:
        return ""
    if fleet.in_use_by_games and activity.gaming.value:
        return "a game"
    if fleet.in_use_by_games and activity.full_screen.value:
        for gpu in report.gpus or ():
            others = gpu.others_ratio.value
            if others is not None and others >= _GAME_RATIO:
                return f"full screen, {others:.0%} of GPU {gpu.index} used by others"
    if fleet.in_use_by_microphone and activity.microphone.value:
        return "the microphone is in use"
    if fleet.in_use_by_camera and activity.camera.value:
        return "the camera is in use"
    return ""


def quiet_until(node: str, hours: Sequence[QuietHours], local_time: datetime) -> datetime | None:
    """When the quiet hours that hold now end, by the node's local time; None outside of them."""
    ends = [
        end
        for quiet in hours
        if not quiet.nodes or node in quiet.nodes
        for days_ago in (0, 1)  # hours past midnight began the day before
        if (end := _end(quiet, local_time, days_ago)) is not None
    ]
    return max(ends, default=None)


def _end(quiet: QuietHours, local_time: datetime, days_ago: int) -> datetime | None:
    day = local_time.date() - timedelta(days=days_ago)
    if _WEEKDAYS[day.weekday()] not in quiet.days:
        return None
    begin = datetime.combine(day, quiet.begin, local_time.tzinfo)
    last_day = day if quiet.begin < quiet.end else day + timedelta(days=1)
    end = datetime.combine(last_day, quiet.end, local_time.tzinfo)
    return end if begin <= local_time < end else None
