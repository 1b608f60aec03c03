"""Which announcements are told, and that none is told twice."""

from datetime import UTC, datetime

from sensors.found_nodes import decide, names_and_addresses
from tip_resources.database.found_nodes import FoundNode
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LISTED = names_and_addresses(
    Settings(fleet=FleetSettings(nodes=(FleetNodeSettings(name="pi", url="http://10.0.0.7:8765"),))), "desk"
)


def hint(name: str, url: str = "") -> FoundNode:
    return FoundNode(name, url or f"http://{name}:8765", NOW, NOW)


def test_a_stranger_is_told_once() -> None:
    first = decide([hint("attic")], LISTED, ())
    assert [found.name for found in first.new] == ["attic"]
    again = decide([hint("attic")], LISTED, first.told)
    assert (again.new, again.waiting, again.told) == ((), 1, first.told)


def test_machines_of_the_fleet_are_no_strangers_by_name_or_by_address() -> None:
    known = [hint("desk"), hint("pi", "http://elsewhere:1"), hint("another", "http://10.0.0.7:8765/")]
    assert decide(known, LISTED, ()).waiting == 0


def test_one_that_goes_and_comes_back_is_told_again() -> None:
    told = decide([hint("attic")], LISTED, ()).told
    gone = decide([], LISTED, told)
    assert gone.told == ()
    assert decide([hint("attic")], LISTED, gone.told).new


def test_a_flood_is_told_in_parts_and_strange_names_not_at_all() -> None:
    flood = [hint(f"n{number}") for number in range(50)]
    told: tuple[str, ...] = ()
    for expected in (20, 20, 10, 0):
        hints = decide(flood, LISTED, told)
        told = hints.told
        assert (len(hints.new), hints.waiting) == (expected, 50)
    assert decide([hint("../../etc"), hint("a b"), hint("x" * 200), hint("")], LISTED, ()).waiting == 0
