"""Promises of the router: the call goes where it is expected to be finished first."""

from typing import Any

from tip_resources.llm.router import EndpointView, choose


def view(name: str, in_flight: int, limit: int = 4, seconds: float | None = None, **more: Any) -> EndpointView:
    return EndpointView(name=name, in_flight=in_flight, limit=limit, seconds=seconds, **more)


def chosen(*views: EndpointView) -> str | None:
    choice = choose(views)
    return None if choice is None else choice.name


def test_equal_endpoints_fill_evenly() -> None:
    assert chosen(view("a", 2, seconds=10), view("b", 1, seconds=10)) == "b"


def test_the_faster_endpoint_is_filled_first() -> None:
    assert chosen(view("gpu", 2, seconds=1), view("pi", 0, seconds=10)) == "gpu"


def test_a_slow_endpoint_with_room_is_used_when_the_fast_one_is_full() -> None:
    assert chosen(view("gpu", 4, seconds=1), view("pi", 0, seconds=10)) == "pi"


def test_an_endpoint_that_was_never_tried_is_tried_early() -> None:
    assert chosen(view("known", 1, seconds=50), view("new", 0)) == "new"


def test_nobody_is_chosen_when_all_are_full() -> None:
    assert chosen(view("a", 4), view("b", 4)) is None
    assert choose([]) is None


def test_a_call_that_would_end_after_all_others_is_not_begun() -> None:
    assert chosen(view("pi", 0, seconds=90, others_seconds=60)) is None
    assert chosen(view("pi", 0, seconds=90, others_seconds=120)) == "pi"


def test_a_node_with_half_its_weight_counts_as_half_as_fast_and_without_any_gets_nothing() -> None:
    assert chosen(view("hot", 0, seconds=10, weight=0.5), view("cool", 0, seconds=15)) == "cool"
    assert chosen(view("drained", 0, seconds=1, weight=0.0)) is None


def test_an_endpoint_on_trial_comes_last() -> None:
    assert chosen(view("back", 0, seconds=1, is_trial=True), view("slow", 2, seconds=10)) == "slow"
    assert chosen(view("back", 0, seconds=1, is_trial=True), view("slow", 4, seconds=10)) == "back"
