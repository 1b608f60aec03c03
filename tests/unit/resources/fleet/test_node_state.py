"""What the platform makes of a node's reports, step by step."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.report import CollectorRun, Reading, Sign
from tests.unit.resources.fleet.reports import UNKNOWN, activity, gpu, host, report, thermal
from tests.unit.resources.fleet.watch import NOON, Watch
from tip_resources.fleet.this_machine import ThisMachine
from tip_resources.settings.fleet_models import FleetSettings, QuietHours
from tip_resources.settings.models import NodeSettings, Settings

YES = Sign(True)
PI = host(board="Raspberry Pi 4 Model B Rev 1.4")


@pytest.mark.parametrize(("celsius", "status"), [(50, "ready"), (75, "throttled"), (79.9, "throttled"), (80, "hot")])
def test_temperature_decides(celsius: float, status: str) -> None:
    assert Watch().reports(celsius).status == status


@pytest.mark.parametrize(("celsius", "status"), [(69, "ready"), (70, "throttled"), (75, "hot")])
def test_a_raspberry_pi_stops_earlier(celsius: float, status: str) -> None:
    assert Watch().reports(celsius, host=PI).status == status


def test_a_throttled_machine_keeps_seven_tenths_of_its_slots_and_calls() -> None:
    watch = Watch()
    assert (watch.reports(50).slots, watch.reports(76).slots) == (4, 2)
    assert watch.reports(76).concurrency_factor == 0.7
    assert Watch(slots=1).reports(76).slots == 1


def test_a_hot_machine_stays_hot_until_it_has_recovered_and_then_begins_slowly() -> None:
    watch = Watch()
    assert watch.reports(85).status == "hot"
    cooling = watch.reports(77)
    assert (cooling.status, cooling.reason) == ("hot", "CPU at 77 C, cooling to 75 C")
    assert watch.reports(75).status == "hot"
    slow = watch.reports(74)
    assert (slow.status, slow.reason) == ("throttled", "CPU at 74 C, was hot")
    assert [watch.reports(60).status for _ in range(4)] == ["throttled"] * 3 + ["ready"]


def test_a_machine_that_jitters_around_the_recovery_temperature_is_throttled_once() -> None:
    watch = Watch()
    assert [watch.reports(celsius).status for celsius in (75, 74, 75, 73, 74)] == ["throttled"] * 5
    assert watch.reports(72.9).status == "ready"


def test_a_hot_card_stops_a_machine_whose_processor_is_cool() -> None:
    watch = Watch()
    hot = watch.reports(50, gpus=(gpu(60), gpu(86, index=1)))
    assert (hot.status, hot.reason) == ("hot", "GPU 1 at 86 C, limit 85 C")
    assert watch.reports(50, gpus=()).status == "hot", "a card that is not listed has not cooled"
    assert watch.reports(50, gpus=(gpu(60), gpu(74, index=1))).status == "throttled"


def test_a_card_at_its_own_limit_is_throttled_below_ours() -> None:
    assert Watch().reports(gpus=(gpu(70, margin_celsius=Reading(2.0)),)).status == "throttled"
    slowed = Watch().reports(gpus=(gpu(70, throttled=("thermal",)),))
    assert (slowed.status, slowed.reason) == ("throttled", "GPU 0 at 70 C, slows itself down because of heat")


def test_a_weak_power_supply_is_noted_and_stops_nothing() -> None:
    weak = Watch().reports(thermal=thermal(50, throttled=("under_voltage",)))
    assert (weak.status, weak.notes) == ("ready", ("its power supply is too weak (under-voltage)",))


def test_an_unknown_temperature_is_no_obstacle_and_is_said() -> None:
    unknown = Watch().reports(None)
    assert unknown.accepts_work
    assert unknown.reason == "CPU temperature unknown: no sensor"
    assert Watch().reports(thermal=None).reason == "CPU temperature unknown: no temperatures reported"


def test_a_hot_machine_whose_sensor_is_lost_stays_hot_for_four_reports() -> None:
    watch = Watch()
    watch.reports(85)
    assert [watch.reports(None).status for _ in range(5)] == ["hot"] * 4 + ["ready"]


def test_a_temperature_that_the_agent_could_not_renew_says_nothing_of_now() -> None:
    old = CollectorRun("thermal", "timeout", "took too long", 2000.0, 121.0)
    assert Watch().reports(90, collectors=(old,)).reason == "CPU temperature unknown: last measured 121 s ago"


@pytest.mark.parametrize(
    ("age_seconds", "status"), [(74, "ready"), (75, "stale"), (134, "stale"), (135, "lost"), (1e6, "lost")]
)
def test_a_silent_machine_is_stale_at_two_missed_reports_and_lost_at_four(age_seconds: float, status: str) -> None:
    watch = Watch()
    watch.reports(50)
    silent = watch.waits(age_seconds)
    assert (silent.status, silent.accepts_work) == (status, status == "ready")


def test_a_machine_that_returns_from_silence_is_as_hot_as_it_was_left() -> None:
    watch = Watch()
    watch.reports(85)
    assert watch.waits(200).status == "lost"
    assert watch.reports(77, after=1).status == "hot"


def test_a_machine_that_never_reported_is_lost_with_that_reason() -> None:
    state = Watch().waits(5)
    assert (state.node, state.status, state.reason) == ("pi-4b", "lost", "has not reported yet")


def test_a_wrong_clock_is_shown_and_does_no_harm() -> None:
    watch = Watch()
    state = watch.reports_this(report(reported_at_unix_seconds=NOON + 3 * 3600))
    assert (state.status, state.notes) == ("ready", ("its clock is 3 h ahead",))
    assert Watch().reports_this(report(reported_at_unix_seconds=0.0)).status == "ready"
    assert watch.waits(80).status == "stale"


def test_a_replayed_report_keeps_nobody_alive() -> None:
    watch = Watch()
    watch.reports_this(report(sequence=7))
    state = [watch.reports_this(report(sequence=7, celsius=20.0)) for _ in range(4)][-1]
    assert state.status == "stale"
    assert state.cpu_celsius == Reading(50.0)


def test_an_agent_that_starts_anew_counts_and_its_earlier_reports_do_not() -> None:
    watch = Watch()
    watch.reports_this(report(sequence=7))
    assert watch.reports_this(report(sequence=1, boot_id="b-2", celsius=60.0)).cpu_celsius == Reading(60.0)
    assert watch.reports_this(report(sequence=8, boot_id="b-1", celsius=20.0)).cpu_celsius == Reading(60.0)


@pytest.mark.parametrize(
    ("signs", "gpus", "reason"),
    [
        ({"gaming": YES}, (), "a game"),
        ({"full_screen": YES}, (gpu(others_ratio=Reading(0.45)),), "full screen, 45% of GPU 0 used by others"),
        ({"microphone": YES}, (), "the microphone is in use"),
        ({"camera": YES}, (), "the camera is in use"),
    ],
)
def test_a_machine_that_somebody_needs_is_in_use(signs, gpus, reason: str) -> None:
    state = Watch().reports(activity=activity(**signs), gpus=gpus)
    assert (state.status, state.reason, state.concurrency_factor) == ("in_use", reason, 0.0)


@pytest.mark.parametrize(
    ("signs", "others"), [({"full_screen": YES}, Reading(0.05)), ({"full_screen": YES}, UNKNOWN), ({}, Reading(0.9))]
)
def test_a_film_or_another_program_alone_takes_no_machine(signs, others: Reading) -> None:
    assert Watch().reports(activity=activity(**signs), gpus=(gpu(others_ratio=others),)).status == "ready"


def test_which_signs_count_is_a_setting() -> None:
    off = FleetSettings(in_use_by_microphone=False, in_use_by_camera=False, in_use_by_games=False)
    everything = activity(gaming=YES, full_screen=YES, microphone=YES, camera=YES)
    assert Watch(Settings(fleet=off)).reports(activity=everything).status == "ready"


def test_a_machine_is_released_only_after_a_quiet_period() -> None:
    watch = Watch()
    began = watch.reports(activity=activity(gaming=YES))
    *_, waiting = after = [watch.reports() for _ in range(9)]
    assert {state.status for state in after} == {"in_use"}
    assert waiting.since_unix_seconds == began.since_unix_seconds
    assert waiting.described(watch.now.unix_seconds) == "pi-4b is in_use: a game (for 4 min)"
    assert watch.reports().status == "ready"


QUIET = QuietHours(begin=time(9), end=time(17), nodes=("pi-4b",))
NIGHT = QuietHours(days=("tuesday",), begin=time(22), end=time(13))


@pytest.mark.parametrize(
    ("hours", "name", "status"),
    [(QUIET, "pi-4b", "quiet"), (NIGHT, "pi-4b", "quiet"), (QuietHours(days=("sunday",)), "pi-4b", "ready")],
)
def test_quiet_hours_are_by_the_nodes_local_time(hours: QuietHours, name: str, status: str) -> None:
    watch = Watch(Settings(fleet=FleetSettings(quiet_hours=(hours,))), name=name)
    assert watch.reports().status == status


def test_quiet_hours_end() -> None:
    watch = Watch(Settings(fleet=FleetSettings(quiet_hours=(QUIET,))))
    quiet = watch.reports()
    assert quiet.reason == "quiet hours until 17:00 of its local time"
    assert watch.reports(after=5 * 3600).status == "ready"


def test_since_when_is_kept_while_the_status_stays() -> None:
    watch = Watch()
    first, second, third = watch.reports(50), watch.reports(55), watch.reports(85)
    assert (first.since_unix_seconds, second.since_unix_seconds, third.since_unix_seconds) == (
        NOON + 30,
        NOON + 30,
        NOON + 90,
    )


def test_this_machine_has_the_slots_of_the_settings_unless_told_otherwise() -> None:
    settings = Settings(node=NodeSettings(step_slots=3))
    machine = ThisMachine(lambda: settings).state(slots_used=1)
    assert machine.slots_used == 1
    if machine.status == "ready":
        assert machine.slots_free == 2
    assert ThisMachine(lambda: settings, slots=1).state().slots == 1


celsius = st.none() | st.floats(30, 95)
steps = st.lists(
    st.tuples(celsius, celsius, st.booleans(), st.booleans(), st.sampled_from([10.0, 30.0, 90.0, 200.0])), max_size=40
)


@given(steps)
def test_no_sequence_of_reports_makes_a_hot_machine_work_or_flap(moves) -> None:
    watch = Watch()
    heat: dict[str, tuple[float, bool]] = {}  # last known temperature, and whether it has reached the limit since
    last_known: dict[str, float] = {}
    for cpu, card, is_gaming, is_silent, after in moves:
        if is_silent:
            state = watch.waits(after)
        else:
            gaming = activity(gaming=Sign(is_gaming))
            state = watch.reports(cpu, after, gpus=(gpu(card),), activity=gaming)
            for part, value, limit in (("cpu", cpu, 80), ("gpu", card, 85)):
                was_hot = heat.get(part, (0, False))[1]
                if value is not None:
                    heat[part] = (value, value >= limit or (was_hot and value >= 75))
                    last_known[part] = watch.seconds
                elif watch.seconds - last_known.get(part, -1e9) > 120:
                    heat[part] = (0, False)
        is_hot = any(hot for _, hot in heat.values())
        assert not (is_hot and state.accepts_work)
        assert (state.status == "hot") <= is_hot
        assert state.reason
        assert state.accepts_work == (state.concurrency_factor > 0)
        assert 1 <= state.slots <= 4


def test_a_section_that_was_not_renewed_teaches_the_curve_nothing() -> None:
    watch = Watch()
    watch.reports(50)
    watch.reports(50, collectors=(CollectorRun("thermal", "timeout", "took too long", 2000.0, 30.0),))
    curve = watch.node.curve("CPU")
    assert curve is not None
    assert curve.steps == 0
    watch.reports(51)
    curve = watch.node.curve("CPU")
    assert curve is not None
    assert curve.steps == 1
