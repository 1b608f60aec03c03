from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.report import Reading
from tip_resources.fleet.heat import CPU, PartHeat
from tip_resources.fleet.node_state import Memory, NodeState
from tip_resources.fleet.placement import CLASS_PREFIX, WorkRequest, place
from tip_resources.settings.models import PlacementSettings, ThermalSettings

WEIGHTS, THERMAL = PlacementSettings(), ThermalSettings()
ANYTHING = WorkRequest()
UNKNOWN = Reading.unknown("no sensor")


def node(name: str = "one", **changes) -> NodeState:
    state = NodeState(
        name, "ready", "CPU at 40 C", slots=2, queue_depth=0, cpu_celsius=Reading(40.0), success_ratio=1.0
    )
    return replace(state, **changes)


def with_card(celsius: float | None, **changes) -> NodeState:
    card = UNKNOWN if celsius is None else Reading(celsius)
    parts = (PartHeat(CPU, "cool", "x", Reading(40.0)), PartHeat("GPU 0", "cool", "x", card))
    return node(memory=Memory(parts), **changes)


def total(state: NodeState, request: WorkRequest = ANYTHING) -> float:
    return place(request, [state], WEIGHTS, THERMAL).scores[0].total


def test_a_cool_idle_proven_node_scores_one() -> None:
    assert total(node()) == pytest.approx(1.0)


def test_the_parts_weigh_forty_thirty_twenty_ten() -> None:
    assert total(node(cpu_celsius=Reading(80.0))) == pytest.approx(0.6)
    assert total(node(slots_used=1)) == pytest.approx(0.85)
    assert total(node(), WorkRequest(prefers=frozenset({"gpu"}))) == pytest.approx(0.8)
    assert total(node(success_ratio=0.0)) == pytest.approx(0.9)


def test_an_unknown_part_counts_half_and_says_that_it_is_unknown() -> None:
    placement = place(ANYTHING, [node(cpu_celsius=UNKNOWN, success_ratio=None)], WEIGHTS, THERMAL)
    assert placement.scores[0].total == pytest.approx(0.2 + 0.3 + 0.2 + 0.05)
    assert "thermal unknown (no sensor)" in placement.why
    assert "history unknown" in placement.why


def test_a_node_with_a_long_queue_gets_more_only_while_no_other_can_take_it() -> None:
    crowded, warm = node("crowded", queue_depth=100), node("warm", cpu_celsius=Reading(79.0), slots_used=1)
    history_only = PlacementSettings(thermal=0, queue=0, capability=0, history=1)  # by score alone they are equal
    placement = place(ANYTHING, [crowded, warm], history_only, THERMAL)
    assert placement.node == "warm"
    assert dict(placement.excluded) == {"crowded": "100 waiting there already, and another node can take it"}
    assert place(ANYTHING, [crowded, node("full", slots_used=2)], WEIGHTS, THERMAL).node == "crowded"
    patient = history_only.model_copy(update={"max_queue_depth": 101})
    assert place(ANYTHING, [crowded, warm], patient, THERMAL).excluded == ()


def test_the_cooler_of_two_equal_nodes_is_chosen() -> None:
    nodes = [node("warm", cpu_celsius=Reading(70.0)), node("cool", cpu_celsius=Reading(45.0))]
    assert place(ANYTHING, nodes, WEIGHTS, THERMAL).node == "cool"


def test_a_throttled_node_counts_for_less_than_its_temperature_says() -> None:
    warm = Reading(76.0)
    assert total(node(cpu_celsius=warm, status="throttled")) < total(node(cpu_celsius=warm))


@pytest.mark.parametrize("status", ["hot", "in_use", "quiet", "draining", "stale", "lost"])
def test_a_node_that_takes_no_work_is_out_with_its_reason(status) -> None:
    placement = place(ANYTHING, [node(status=status, reason="because")], WEIGHTS, THERMAL)
    assert placement.node is None
    assert placement.why == f"no node can take it: one: {status} (because)"


def test_work_goes_only_where_it_can_run() -> None:
    nodes = [
        node("small", memory_available_bytes=1 << 30),
        node("plain", memory_available_bytes=8 << 30),
        node("full", slots_used=2),
        node("right", memory_available_bytes=8 << 30, capabilities=frozenset({"gpu"})),
    ]
    request = WorkRequest(requires=frozenset({"gpu"}), memory_bytes=4 << 30)
    placement = place(replace(request, requires=frozenset()), nodes[:1], WEIGHTS, THERMAL)
    assert placement.why == "no node can take it: small: 1024 MiB free, 4096 MiB needed"
    placement = place(request, nodes, WEIGHTS, THERMAL)
    assert placement.node == "right"
    assert dict(placement.excluded) == {"small": "lacks gpu", "plain": "lacks gpu", "full": "lacks gpu"}


def test_pinned_work_waits_for_its_node() -> None:
    nodes = [node("free"), node("mine", slots_used=2)]
    placement = place(WorkRequest(pinned_node="mine"), nodes, WEIGHTS, THERMAL)
    assert placement.node is None
    assert dict(placement.excluded) == {"free": "pinned to mine", "mine": "all 2 slots taken"}


def test_no_nodes_at_all_is_said() -> None:
    assert place(ANYTHING, [], WEIGHTS, THERMAL).why == "no node is known"


states = st.builds(
    NodeState,
    node=st.sampled_from(["a", "b", "c"]),
    status=st.sampled_from(["ready", "throttled", "hot", "lost"]),
    reason=st.just("x"),
    slots=st.integers(1, 8),
    slots_used=st.integers(0, 9),
    queue_depth=st.none() | st.integers(0, 500),
    cpu_celsius=st.just(UNKNOWN) | st.builds(Reading, st.floats(5, 110)),
    success_ratio=st.none() | st.floats(0, 1),
    memory_available_bytes=st.none() | st.integers(0, 1 << 40),
)


@given(st.lists(states, unique_by=lambda state: state.node))
def test_every_part_is_between_nothing_and_its_weight_and_every_node_is_accounted_for(nodes) -> None:
    placement = place(ANYTHING, nodes, WEIGHTS, THERMAL)
    for score in placement.scores:
        assert all(0 <= part.points <= part.weight for part in score.parts)
    accounted = [score.node for score in placement.scores] + [name for name, _ in placement.excluded]
    assert sorted(accounted) == sorted(state.node for state in nodes)


@given(st.lists(states, unique_by=lambda state: state.node), st.data())
def test_the_order_of_the_nodes_does_not_matter(nodes, data) -> None:
    request = WorkRequest(avoid=frozenset({"a"}), key=data.draw(st.text(max_size=3)))
    one = place(request, nodes, WEIGHTS, THERMAL)
    other = place(request, data.draw(st.permutations(nodes)), WEIGHTS, THERMAL)
    assert (one.node, one.why, one.scores, one.excluded) == (other.node, other.why, other.scores, other.excluded)


@given(st.lists(states, unique_by=lambda state: state.node, min_size=1))
def test_the_chosen_node_is_the_best_and_its_parts_add_up(nodes) -> None:
    placement = place(ANYTHING, nodes, WEIGHTS, THERMAL)
    totals = [score.total for score in placement.scores]
    assert totals == sorted(totals, reverse=True)
    assert placement.node == (placement.scores[0].node if placement.scores else None)
    for score in placement.scores:
        assert score.total == pytest.approx(sum(part.points for part in score.parts))


open_states = st.builds(
    replace,
    states,
    status=st.sampled_from(["ready", "throttled"]),
    slots_used=st.just(0),
)
limits = st.builds(
    lambda limit, below: ThermalSettings(cpu_limit_celsius=limit, gpu_limit_celsius=limit, recovery_celsius=below),
    st.floats(30, 110),
    st.floats(5, 29),
)


@given(open_states, st.floats(5, 110), st.floats(0, 60), st.booleans(), limits)
def test_a_hotter_node_never_scores_better(state, celsius, hotter_by, then_throttled, thermal) -> None:
    cooler = replace(state, cpu_celsius=Reading(celsius))
    hotter = replace(cooler, cpu_celsius=Reading(celsius + hotter_by))
    if then_throttled:
        hotter = replace(hotter, status="throttled")
    scores = [place(ANYTHING, [it], WEIGHTS, thermal).scores[0].total for it in (cooler, hotter)]
    assert scores[0] >= scores[1]


@given(open_states, limits, st.floats(0, 1))
def test_an_unknown_temperature_is_never_better_than_a_cool_known_one(state, thermal, coolness) -> None:
    midway = (thermal.cpu_limit_celsius + min(40.0, thermal.cpu_limit_celsius / 2)) / 2
    known = replace(state, cpu_celsius=Reading(midway * coolness))
    unknown = replace(state, cpu_celsius=UNKNOWN)
    scores = [place(ANYTHING, [it], WEIGHTS, thermal).scores[0].total for it in (known, unknown)]
    assert scores[0] >= scores[1] - 1e-9


@given(open_states, st.integers(0, 9), st.integers(0, 500))
def test_a_fuller_node_never_wins_over_an_equal_empty_one(state, used, waiting) -> None:
    empty = replace(state, node="z", queue_depth=0)
    fuller = replace(state, node="a", slots_used=used, queue_depth=waiting)
    expected = "z" if used or waiting else "a"
    assert place(ANYTHING, [fuller, empty], WEIGHTS, THERMAL).node == expected


@given(st.integers(1, 12), st.integers(1, 6), open_states)
def test_work_that_stays_spreads_evenly_over_equal_nodes(count, slots, state) -> None:
    nodes = {f"n{index}": replace(state, node=f"n{index}", slots=slots, queue_depth=0) for index in range(count)}
    for placed in range(1, count * slots + 1):
        chosen = place(WorkRequest(key=str(placed)), list(nodes.values()), WEIGHTS, THERMAL).node
        assert chosen is not None
        nodes[chosen] = replace(nodes[chosen], slots_used=nodes[chosen].slots_used + 1)
        used = [node.slots_used for node in nodes.values()]
        assert max(used) - min(used) <= 1
    assert place(ANYTHING, list(nodes.values()), WEIGHTS, THERMAL).node is None


@given(st.integers(2, 10), open_states)
def test_no_node_starves_when_each_piece_of_work_is_done_before_the_next_comes(count, state) -> None:
    nodes = [replace(state, node=f"n{index}") for index in range(count)]
    chosen = [place(WorkRequest(key=f"run-{index}"), nodes, WEIGHTS, THERMAL).node for index in range(count * 30)]
    assert set(chosen) == {node.node for node in nodes}


def test_equal_work_goes_to_the_same_of_equal_nodes() -> None:
    nodes = [node("a"), node("b"), node("c")]
    again = {place(WorkRequest(key="run/step"), nodes, WEIGHTS, THERMAL).node for _ in range(5)}
    assert len(again) == 1
    assert place(ANYTHING, nodes[::-1], WEIGHTS, THERMAL).node == "a"


def test_work_for_a_class_goes_only_to_nodes_of_it() -> None:
    nodes = [node("pi", capabilities=frozenset({"cpu", CLASS_PREFIX + "pi"})), node("bare")]
    nodes.append(node("desk", capabilities=frozenset({CLASS_PREFIX + "generation"}), slots_used=1))
    placement = place(WorkRequest(node_classes=frozenset({"generation", "laptop"})), nodes, WEIGHTS, THERMAL)
    assert placement.node == "desk"
    assert dict(placement.excluded) == dict.fromkeys(["pi", "bare"], "not of class generation or laptop")


def test_a_retry_goes_to_another_node_though_it_is_worse() -> None:
    nodes = [node("failed"), node("warm", cpu_celsius=Reading(74.0))]
    placement = place(WorkRequest(avoid=frozenset({"failed"})), nodes, WEIGHTS, THERMAL)
    assert placement.node == "warm"
    assert dict(placement.excluded) == {"failed": "to be avoided while another node can take it"}


def test_a_retry_waits_for_a_slot_elsewhere_rather_than_go_back() -> None:
    nodes = [node("failed"), node("busy", slots_used=2)]
    placement = place(WorkRequest(avoid=frozenset({"failed"})), nodes, WEIGHTS, THERMAL)
    assert placement.node is None
    assert dict(placement.excluded)["busy"] == "all 2 slots taken"


@pytest.mark.parametrize("other", [node("other", status="hot"), node("other", memory_available_bytes=1)])
def test_a_retry_goes_back_where_no_other_node_can_take_it(other) -> None:
    request = WorkRequest(avoid=frozenset({"failed"}), memory_bytes=1 << 30)
    assert place(request, [node("failed"), other], WEIGHTS, THERMAL).node == "failed"


def test_a_node_throttled_with_an_unknown_temperature_is_worse_than_one_at_full_speed() -> None:
    slow = node(cpu_celsius=UNKNOWN, status="throttled")
    assert total(slow) == pytest.approx(0.35 * 0.4 + 0.6)
    assert total(slow) < total(node(cpu_celsius=UNKNOWN))


def test_a_card_counts_where_it_is_nearer_to_its_limit_than_the_processor() -> None:
    hot_card = place(ANYTHING, [with_card(76.0)], WEIGHTS, THERMAL)
    assert hot_card.scores[0].parts[0].value == pytest.approx((85 - 76) / 45)
    assert "thermal 0.20 (GPU 0 76 C, ready)" in hot_card.why
    cool_card = place(ANYTHING, [with_card(45.0, cpu_celsius=Reading(70.0))], WEIGHTS, THERMAL)
    assert cool_card.scores[0].parts[0].value == pytest.approx(0.25)
    assert "thermal 0.25 (70 C, ready)" in cool_card.why


def test_a_card_never_makes_a_node_better() -> None:
    for cpu in (UNKNOWN, Reading(40.0), Reading(70.0)):
        totals = [total(with_card(card, cpu_celsius=cpu)) for card in (None, 30.0, 50.0, 70.0, 84.0)]
        assert totals == sorted(totals, reverse=True)
        assert totals[0] == total(node(cpu_celsius=cpu)) == totals[1]


def test_the_line_names_a_few_of_many_nodes_and_counts_the_rest() -> None:
    nodes = [node(f"n{index}", status="lost", reason="no report for 400 s") for index in range(5)]
    nodes += [node(f"p{index}", slots_used=2) for index in range(4)]
    placement = place(ANYTHING, nodes, WEIGHTS, THERMAL)
    assert placement.why.startswith("no node can take it: n0: lost (no report for 400 s); n1: ")
    assert placement.why.endswith("; p0: all 2 slots taken; and 3 more (3 full)")
    assert len(placement.excluded) == 9


def test_the_line_about_pinned_work_begins_with_its_node() -> None:
    nodes = [node(f"n{index}") for index in range(20)]
    nodes.append(node("zebra", status="in_use", reason="camera in use"))
    why = place(WorkRequest(pinned_node="zebra"), nodes, WEIGHTS, THERMAL).why
    assert why.startswith("no node can take it: zebra: in_use (camera in use); n0: pinned to zebra")
    assert why.endswith("and 15 more (15 pinned elsewhere)")


def test_the_kinds_of_reasons_stay_while_only_figures_change() -> None:
    def kinds(**changes) -> frozenset[tuple[str, str]]:
        nodes = [node("a", slots_used=2), node("b", **changes)]
        return place(WorkRequest(memory_bytes=2**30), nodes, WEIGHTS, THERMAL).kinds

    warm = kinds(status="hot", reason="CPU at 84 C, 3 min to 70 C")
    assert warm == kinds(status="hot", reason="CPU at 83 C, 2 min to 70 C") == {("a", "full"), ("b", "hot")}
    assert (
        kinds(memory_available_bytes=1) == kinds(memory_available_bytes=2) == {("a", "full"), ("b", "short of memory")}
    )
    assert kinds(status="in_use", reason="a game") != warm
