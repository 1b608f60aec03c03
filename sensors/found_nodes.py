"""Agents that announce themselves on the network and that nobody listed: said once, never taken in by themselves.

Anybody in the network can announce anything. A person takes a machine in with `tip nodes invite`.
"""

import re
from collections.abc import Collection, Sequence

import dagster as dg
import msgspec

from tip_assets.fleet.figures import node_key
from tip_assets.platform import Platform
from tip_resources.database import audit
from tip_resources.database.found_nodes import FoundNode, FoundNodeStore
from tip_resources.settings.models import Settings

# Told in one look; a flood of announcements must not become a flood of rows.
_TOLD_AT_ONCE = 20
# As the names of listed machines are. Another name is not repeated anywhere.
_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")


class Hints(msgspec.Struct, frozen=True):
    """Hints to tell of now, and the addresses of all that were told of and are still announced."""

    new: tuple[FoundNode, ...]
    waiting: int
    told: tuple[str, ...]


def decide(found: Sequence[FoundNode], listed: Collection[str], told: Collection[str]) -> Hints:
    """Who announces itself, is not `listed` (names and addresses), and was not told of before."""
    usable = [hint for hint in found if _NAME.fullmatch(hint.name)]
    strangers = [hint for hint in usable if hint.name not in listed and hint.url.rstrip("/") not in listed]
    new = [hint for hint in strangers if hint.url not in told][:_TOLD_AT_ONCE]
    kept = [hint.url for hint in strangers if hint.url in told]
    return Hints(tuple(new), len(strangers), (*kept, *(hint.url for hint in new)))


def names_and_addresses(settings: Settings, own_name: str) -> set[str]:
    """What the machines of the fleet are known by."""
    return {own_name, *(node.name for node in settings.fleet.nodes), *(node.url for node in settings.fleet.nodes)}


@dg.sensor(
    name="found_nodes",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Says which machines announce an agent on the network and are not of the fleet.",
)
def found_nodes_sensor(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Reads the hints, decides, tells."""
    fleet = platform.fleet()
    told: list[str] = msgspec.json.decode(context.cursor or "[]", type=list[str])
    listed = names_and_addresses(fleet.settings, fleet.own_name)
    hints = decide(FoundNodeStore(platform.database()).all(), listed, set(told))
    events = []
    for hint in hints.new:
        audit.append(platform.database(), "tip", "node.found", hint.name, {"url": hint.url})
        figures = {"event": "announces an agent on the network; not of the fleet", "url": hint.url}
        events.append(dg.AssetObservation(node_key(hint.name), metadata=figures))
    return dg.SensorResult(
        skip_reason=_words(hints), cursor=msgspec.json.encode(hints.told).decode(), asset_events=events
    )


def _words(hints: Hints) -> str:
    if not hints.waiting:
        return "No machine announces itself that is not of the fleet."
    new = ", ".join(f"{hint.name} at {hint.url}" for hint in hints.new)
    said = f"New: {new}. " if new else ""
    return f"{said}{hints.waiting} announced and not of the fleet; `tip nodes invite` takes one in."
