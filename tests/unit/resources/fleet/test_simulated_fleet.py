"""The simulation of benchmarks/fleet, small: what its figures rest on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fleet.dispatch import Call
from benchmarks.fleet.machines import DESKTOP, LAPTOP, PI, Body, Kind, Life, make_fleet
from benchmarks.fleet.oracle import oracle_seconds
from benchmarks.fleet.simulation import Outcome, simulate
from tip_resources.settings.models import Settings

TOKENS = [2000.0] * 120


def life(kind: Kind = LAPTOP, **changes) -> Life:
    return Life(
        **{
            "name": "one",
            "kind": kind,
            "ambient_celsius": 30.0,
            "poll_phase_seconds": 0,
            "owner_present": (),
            "dies_at": None,
            "dies_silently": False,
            **changes,
        }
    )


def run(lives, *, sees_heat: bool = True, until: float = 20_000) -> Outcome:
    calls = [Call(number, size) for number, size in enumerate(TOKENS)]
    return simulate(lives, [calls[:60], calls[60:]], Settings(), sees_heat=sees_heat, seed=1, until=until)


@pytest.mark.parametrize("silently", [True, False])
def test_every_call_is_written_once_though_machines_die(silently) -> None:
    dying = life(DESKTOP, name="dying", dies_at=100, dies_silently=silently)
    outcome = run([dying, life(name="laptop"), life(PI, name="pi")])
    assert (outcome.lost, outcome.twice) == (0, 0)
    assert outcome.moved >= 4


def test_calls_that_no_machine_is_left_for_count_as_lost() -> None:
    assert run([life(dies_at=300)], until=2000).lost > 100


def test_a_machine_in_a_warm_room_stays_below_its_limit_only_when_its_heat_is_seen() -> None:
    assert run([life()]).above_by_work == 0
    assert run([life()], sees_heat=False).above_by_work > 1000


@given(st.sampled_from([LAPTOP, DESKTOP]), st.booleans(), st.floats(15, 33), st.integers(0, 29), st.floats(0, 1))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_in_no_room_does_work_heat_a_machine_above_its_limit_or_make_it_swing(
    kind: Kind, is_rough: bool, room: float, polled_at: int, swing: float
) -> None:
    machine = life(
        kind.roughened if is_rough else kind, ambient_celsius=room, poll_phase_seconds=polled_at, swing_phase=swing
    )
    outcome = run([machine])
    assert (outcome.above_by_work, outcome.lost) == (0, 0)
    assert outcome.slowed_per_hour <= 24, (
        "once slowed, it stays so for two minutes, and a report later at the soonest again"
    )


def test_what_a_game_heats_is_its_owners_until_it_is_over() -> None:
    outcome = run([life(ambient_celsius=27.0, owner_present=((1003.0, 1013.0),))])
    assert outcome.above_with_owner > 0
    assert outcome.above_by_work == 0


def test_an_owner_who_comes_is_left_alone_within_two_reports() -> None:
    outcome = run([life(owner_present=((337, 1500),)), life(DESKTOP, name="desk")])
    assert 0 < outcome.disturbed_seconds <= 60
    assert outcome.lost == 0


def test_no_schedule_is_shorter_than_the_oracle_that_keeps_to_the_limits() -> None:
    lives = make_fleet(8, seed=2, about_seconds=600)
    assert run(lives).seconds > oracle_seconds(lives, sum(TOKENS), 300.0)


def test_the_oracle_stops_when_no_machine_is_left() -> None:
    with pytest.raises(ValueError, match="dead before"):
        oracle_seconds([life(dies_at=10)], 1e6, 300.0)


def test_a_rough_machine_gets_as_hot_in_the_end_by_another_way() -> None:
    plain, rough = Body(life()), Body(life(LAPTOP.roughened, swing_phase=0.0))
    for body in (plain, rough):
        for _ in range(14_400):  # two whole swings of the room
            body.live(90.0)
    assert rough.celsius == pytest.approx(plain.celsius, abs=0.1)
    assert Body(life(LAPTOP.roughened, swing_phase=0.25)).celsius == pytest.approx(33.0 + 15 * 0.57, abs=0.1)
    plain.live(plain.watts_to(60.0))
    assert plain.celsius == pytest.approx(60.0)
    rough.live(rough.watts_to(60.0))
    assert rough.celsius == pytest.approx(60.0)


def test_heat_settles_where_power_and_resistance_say() -> None:
    body = Body(life(DESKTOP, ambient_celsius=20.0))
    for _ in range(3000):
        body.live(200.0)
    assert body.celsius == pytest.approx(20 + 200 * 0.25, abs=0.1)
