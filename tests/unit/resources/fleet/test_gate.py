from dataclasses import replace

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tip_resources.fleet.gate import GateDecision, GateMemory, decide
from tip_resources.fleet.node_state import NodeState, Status
from tip_resources.settings.models import GateSettings

LASTS = 60.0
SETTINGS = GateSettings(rise_after_seconds=LASTS)
STATUSES: tuple[Status, ...] = ("ready", "throttled", "hot", "in_use", "quiet", "draining", "stale", "lost")


def node(name: str = "one", status: Status = "ready", reason: str = "", slots: int = 2) -> NodeState:
    return NodeState(name, status, reason, slots=slots)


def over_time(*looks: tuple[float, list[NodeState]]) -> list[GateDecision]:
    decisions, memory = [], None
    for at, states in looks:
        decisions.append(decide(states, SETTINGS, at, memory))
        memory = decisions[-1].memory
    return decisions


def limits_over_time(*looks: tuple[float, list[NodeState]]) -> list[int]:
    return [decision.limit for decision in over_time(*looks)]


def test_every_slot_may_be_used_from_the_first_look_on() -> None:
    decision = decide([node("a"), node("b", slots=4), node("c", "throttled", slots=1)], SETTINGS, 0)
    assert (decision.limit, decision.changed) == (7, True)


def test_an_owner_who_comes_back_counts_at_once() -> None:
    both, one = [node("a"), node("b")], [node("a"), node("b", "in_use")]
    assert limits_over_time((0, both), (1, one), (2, [node("a", "hot"), one[1]])) == [4, 2, 0]


def test_a_throttled_node_keeps_its_reduced_slots_before_it_is_paused() -> None:
    looks = [(0, [node(slots=10)]), (30, [node(status="throttled", slots=7)]), (60, [node(status="hot", slots=10)])]
    assert limits_over_time(*looks) == [10, 7, 0]


def test_a_better_state_must_last_before_more_runs_start() -> None:
    few, many = [node(slots=2)], [node(slots=6)]
    assert limits_over_time((0, few), (10, many), (69, many), (70, many)) == [2, 2, 2, 6]


def test_a_node_that_comes_and_goes_does_not_move_the_limit() -> None:
    looks = [(0.0, [node("steady")])]
    looks += [(30.0 * n, [node("steady"), node("wavering", "ready" if n % 2 else "hot")]) for n in range(1, 40)]
    assert set(limits_over_time(*looks)) == {2}


def test_what_was_offered_all_the_time_may_be_used_though_more_came_and_went() -> None:
    offered = [(0, 2), (10, 5), (40, 4), (70, 5), (100, 6), (130, 6), (160, 6)]
    looks = [(float(at), [node(slots=slots)]) for at, slots in offered]
    assert limits_over_time(*looks) == [2, 2, 2, 4, 4, 5, 6]


def test_a_pause_between_looks_proves_nothing_about_the_time_in_between() -> None:
    assert limits_over_time((0, [node(slots=2)]), (3600, [node(slots=5)]), (3660, [node(slots=5)])) == [2, 2, 5]


def test_a_clock_set_back_delays_a_rise_and_does_no_other_harm() -> None:
    few, many = [node(slots=2)], [node(slots=6)]
    assert limits_over_time((1000, few), (1010, many), (10, many), (69, many), (70, many)) == [2, 2, 2, 2, 6]
    assert limits_over_time((1000, many), (10, few)) == [6, 2]


def test_changed_tells_a_new_limit_from_the_same_one() -> None:
    looks = [(0, [node()]), (30, [node(reason="other words")]), (60, [node(slots=1)]), (90, [node(slots=1)])]
    assert [decision.changed for decision in over_time(*looks)] == [True, False, True, False]


def test_the_reason_names_each_node_with_its_own_words() -> None:
    states = [
        node("pi-4b", "hot", "76 C, 3 min to 70 C at this rate"),
        replace(node("rtx-laptop", "in_use", "full-screen game"), since_unix_seconds=1_800_000_000.0),
    ]
    assert decide(states, SETTINGS, 1_800_000_720.0).reason == (
        "nothing starts: rtx-laptop is in use: full-screen game for 12 min; "
        "pi-4b is hot: 76 C, 3 min to 70 C at this rate"
    )


def test_the_reason_says_what_holds_back_some_of_the_runs() -> None:
    states = [node("desk", slots=4), node("pi", "throttled", "72 C", slots=1)]
    assert decide(states, SETTINGS, 0).reason == "5 runs may go on at once: pi is throttled: 72 C"
    assert decide(states[:1], SETTINGS, 0).reason == "4 runs may go on at once: its node is ready"
    assert decide([node("a", slots=1), node("b", slots=0)], SETTINGS, 0).reason == (
        "1 run may go on at once: all 2 nodes are ready"
    )


def test_only_the_machines_on_which_runs_go_on_count() -> None:
    fleet = [node("desk", slots=2), node("rtx", slots=8), node("pi", "hot", "81 C", slots=4)]
    decision = decide(fleet, SETTINGS, 0, run_on={"desk"})
    assert decision.limit == 2
    assert decision.reason == "2 runs may go on at once: its node is ready; with model servers: pi is hot: 81 C"
    held = decide([node("desk", "in_use", "a game"), *fleet[1:]], SETTINGS, 0, run_on={"desk"})
    assert (held.limit, held.reason) == (0, "nothing starts: desk is in use: a game"), "who else is hot holds nothing"


def test_a_machine_for_runs_that_nobody_listed_is_said() -> None:
    decision = decide([node("desk")], SETTINGS, 0, run_on=["dask"])
    assert (decision.limit, decision.reason) == (0, "nothing starts: dask is not of the fleet")


def test_no_more_are_started_than_the_queue_allows_at_all() -> None:
    assert decide([node(slots=8)], SETTINGS, 0, most=2).reason == "2 runs may go on at once: its node is ready"
    assert decide([node(slots=1)], SETTINGS, 0, most=2).limit == 1


def test_the_kind_stays_while_only_figures_change() -> None:
    hot = [decide([node(status="hot", reason=f"{celsius} C")], SETTINGS, 0) for celsius in (81, 80)]
    assert hot[0].kind == hot[1].kind and hot[0].reason != hot[1].reason
    assert decide([node(status="in_use")], SETTINGS, 0).kind != hot[0].kind != decide([node()], SETTINGS, 0).kind


def test_no_node_known_is_told_apart_from_no_node_usable() -> None:
    assert decide([], SETTINGS, 0).reason == "nothing starts: no node is known"
    lost = decide([node(status="lost", reason="no report for 400 s")], SETTINGS, 0)
    assert (lost.limit, lost.reason) == (0, "nothing starts: one is lost: no report for 400 s")


def test_a_rise_that_waits_says_how_long() -> None:
    before, waits = over_time((0, [node(status="hot")]), (10, [node()]))
    assert before.limit == waits.limit == 0
    later = decide([node()], SETTINGS, 30, waits.memory)
    assert later.reason == "nothing starts yet: its node is ready; 2 more in 40 s if this lasts"


def test_of_many_nodes_a_few_are_named_and_the_rest_counted() -> None:
    states = [node(f"n{index}", "lost", "no report") for index in range(9)] + [node("a"), node("z", "in_use", "camera")]
    assert decide(states, SETTINGS, 0).reason == (
        "2 runs may go on at once: z is in use: camera; n0 is lost: no report; n1 is lost: no report; "
        "n2 is lost: no report; and 6 more (6 lost)"
    )


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_words(status) -> None:
    assert decide([node(status=status, reason="why"), node("two", "hot")], SETTINGS, 0).reason


def test_the_memory_survives_a_sensors_cursor() -> None:
    memory = over_time((0, [node(slots=1)]), (10, [node(slots=3)]))[-1].memory
    assert msgspec.json.decode(msgspec.json.encode(memory), type=GateMemory) == memory
    assert len(memory.offers) == 2


class AnyFleet(RuleBasedStateMachine):
    """A fleet that does what it likes, with looks at any moments."""

    @initialize()
    def begin(self) -> None:
        self.nodes: dict[str, NodeState] = {}
        self.now = 0.0
        self.looks: list[tuple[float, int, int]] = []  # when, offered, limit
        self.memory: GateMemory | None = None
        self.look()

    @rule(name=st.sampled_from("abcd"), status=st.sampled_from(STATUSES), slots=st.integers(0, 6))
    def joins_or_changes(self, name, status, slots) -> None:
        self.nodes[name] = node(name, status, slots=slots)

    @rule(name=st.sampled_from("abcd"))
    def leaves(self, name) -> None:
        self.nodes.pop(name, None)

    @rule(name=st.sampled_from("abcd"))
    def changes_its_mind(self, name) -> None:
        if name in self.nodes:
            was_open = self.nodes[name].accepts_work
            self.nodes[name] = replace(self.nodes[name], status="in_use" if was_open else "ready")

    @rule(seconds=st.integers(0, 150))
    def time_passes(self, seconds) -> None:
        self.now += seconds
        self.look()

    @rule()
    def nothing_changes_for_long_enough(self) -> None:
        for _ in range(4):
            self.now += LASTS / 3
            self.look()
        _, offered, limit = self.looks[-1]
        assert limit == offered

    def look(self) -> None:
        states = list(self.nodes.values())
        decision = decide(states, SETTINGS, self.now, self.memory)
        offered = sum(node.slots for node in states if node.accepts_work)
        assert decision.changed == (not self.looks or self.looks[-1][2] != decision.limit)
        assert decide(states[::-1], SETTINGS, self.now, self.memory) == decision
        self.memory = decision.memory
        self.looks.append((self.now, offered, decision.limit))

    @invariant()
    def the_limit_is_never_above_what_is_offered(self) -> None:
        assert all(limit <= offered for _, offered, limit in self.looks[-1:])

    @invariant()
    def it_falls_only_to_what_is_offered(self) -> None:
        if len(self.looks) > 1:
            (_, _, before), (_, offered, limit) = self.looks[-2:]
            assert limit >= min(before, offered)

    @invariant()
    def it_rises_only_to_what_was_offered_all_the_time(self) -> None:
        if len(self.looks) > 1 and self.looks[-1][2] > self.looks[-2][2]:
            now, _, limit = self.looks[-1]
            last_worse = max(index for index, (_, offered, _) in enumerate(self.looks) if offered < limit)
            first_better, _, _ = self.looks[last_worse + 1]
            assert now - first_better >= LASTS

    @invariant()
    def after_a_fall_it_does_not_rise_before_the_time_is_up(self) -> None:
        fell_at = None
        for (_, _, before), (at, _, after) in zip(self.looks, self.looks[1:], strict=False):
            if after < before:
                fell_at = at
            elif after > before and fell_at is not None:
                assert at - fell_at >= LASTS


TestAnyFleet = AnyFleet.TestCase


def test_what_holds_everything_closes_the_gate_whatever_the_machines_are() -> None:
    short = "1.2 GB are free"
    held = decide([node(slots=4)], SETTINGS, 0, held=short)
    assert (held.limit, held.reason) == (0, f"nothing starts: {short}")
    at_once = decide([node(slots=4)], SETTINGS, LASTS / 2, held.memory)
    later = decide([node(slots=4)], SETTINGS, LASTS / 2 + LASTS, at_once.memory)
    assert (at_once.limit, later.limit) == (0, 4), "a disk that fills and empties does not move the gate"
    assert held.kind != at_once.kind
