"""When a machine is observed, and when one is told to be lost, back or drained."""

from collections.abc import Mapping

import pytest

from sensors.fleet_nodes import OBSERVE_EVERY_SECONDS, Seen, decide, newly_drained, what_happened
from tip_resources.fleet.node_state import NodeState, Status
from tip_resources.fleet.under_way import UnderWay


def states(**statuses: Status) -> list[NodeState]:
    return [NodeState(name, status, "why", slots=1) for name, status in statuses.items()]


def seen_at(at: float, **statuses: str) -> Seen:
    return Seen(at, dict(statuses))


def test_at_first_every_machine_is_observed_and_none_is_called_lost() -> None:
    look = decide(states(desk="ready", pi="lost"), None, 100.0)
    assert (look.observe, look.lost, look.back) == (("desk", "pi"), (), ())


def test_a_look_without_a_change_observes_nothing() -> None:
    assert decide(states(desk="hot"), seen_at(100.0, desk="hot"), 130.0).observe == ()


def test_only_the_machine_that_changed_is_observed_and_the_quarter_goes_on() -> None:
    look = decide(states(desk="ready", pi="hot"), seen_at(100.0, desk="ready", pi="ready"), 130.0)
    assert (look.observe, look.is_of_all, look.seen.observed_at) == (("pi",), False, 100.0)


@pytest.mark.parametrize("now", [100.0 + OBSERVE_EVERY_SECONDS, 10.0])
def test_every_quarter_of_an_hour_all_are_observed_also_after_the_clock_was_set_back(now: float) -> None:
    look = decide(states(desk="ready"), seen_at(100.0, desk="ready"), now)
    assert (look.observe, look.is_of_all, look.seen.observed_at) == (("desk",), True, now)


def test_watching_for_a_day_observes_each_machine_once_per_quarter() -> None:
    seen, observed = None, 0
    for second in range(0, 86_400, 5):
        look = decide(states(desk="ready", pi="hot"), seen, 1_000_000.0 + second)
        seen, observed = look.seen, observed + len(look.observe)
    assert observed == 2 * 96


def test_lost_and_back_are_told_with_the_steps_that_were_held() -> None:
    lost = decide(states(pi="lost"), seen_at(0.0, pi="stale"), 1.0)
    assert lost.lost == ("pi",)
    assert what_happened("pi", lost, UnderWay(("write_shard[0] (1f0c6a52)",))) == (
        "lost; it held write_shard[0] (1f0c6a52)"
    )
    assert what_happened("pi", lost, UnderWay()) == "lost; it held no step of ours"
    back = decide(states(pi="hot"), lost.seen, 2.0)
    assert (back.lost, back.back) == ((), ("pi",))
    assert what_happened("pi", back, UnderWay()) == "back"


def test_a_machine_that_is_listed_anew_is_neither_lost_nor_back() -> None:
    look = decide(states(desk="ready", pi="lost"), seen_at(0.0, desk="ready"), 1.0)
    assert (look.observe, look.lost) == (("pi",), ())


def draining(since: float) -> NodeState:
    return NodeState("pi", "draining", "drained by anna", slots=1, since_unix_seconds=since)


@pytest.mark.parametrize(
    ("work", "told", "expected"),
    [
        ({}, {}, ["pi"]),
        ({"pi": UnderWay(calls=1)}, {}, []),
        ({"pi": UnderWay(steps=("grade (1f0c6a52)",))}, {}, []),
        ({"desk": UnderWay(calls=1)}, {}, ["pi"]),
        ({}, {"pi": 50.0}, []),
        ({}, {"pi": 40.0}, ["pi"]),
    ],
)
def test_a_drained_machine_is_told_once_per_order_when_nothing_is_left(
    work: Mapping[str, UnderWay], told: Mapping[str, float], expected: list[str]
) -> None:
    assert [state.node for state in newly_drained([draining(50.0)], work, told)] == expected
