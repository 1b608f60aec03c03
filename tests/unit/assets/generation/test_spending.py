"""Budgets hold: what is under way is counted before it has ended, and a stop says which limit and how far."""

from collections.abc import Callable

import pytest

from tip_assets.generation.spending import Expected, Spending, stopped_note
from tip_resources.domain.dataset_spec import Budget
from tip_resources.domain.failures import BadInput
from tip_resources.llm.prices import Price, PriceList
from tip_resources.llm.types import Endpoint, RequestDone
from tip_resources.storage.checkpoint import CallUsage

OWN = Endpoint(name="own", url="http://localhost:1/v1", model="phi-4")
PAID = Endpoint(name="openai", url="https://api.openai.com/v1", model="gpt-4.1", tier="openai")
PRICES = PriceList(models={"gpt-4.1": Price(input=2, output=8)}, batch_factor=0.5)


def begun(budget: Budget, prices: PriceList, endpoints: list[Endpoint], expected=None, **more) -> Spending:
    spending = Spending(budget, prices, **more)
    spending.begin(endpoints, expected=expected)
    return spending


def done(endpoint: Endpoint | None = OWN, tokens_in: int | None = 100, tokens_out: int | None = 900, **more):
    fields = {"request_id": "r", "items": 1, "attempts": 1, "duration_ms": 30_000.0} | more
    return RequestDone(endpoint=endpoint, tokens_in=tokens_in, tokens_out=tokens_out, **fields)


def send_all(spending: Spending, at_once: int, tokens_out: Callable[[int], int] = lambda _: 900) -> int:
    """Sends requests `at_once` until the budget says no; the number sent. All that was sent ends."""
    under_way = sent = 0
    spending.begin([OWN], in_flight=lambda: under_way, expected=Expected(tokens=1_000))
    while spending.stop_reason() is None and sent < 10_000:
        sent, under_way = sent + 1, under_way + 1
        if under_way == at_once:
            spending.request_done(done(tokens_out=tokens_out(sent)))
            under_way -= 1
    for left in range(under_way):
        spending.request_done(done(tokens_out=tokens_out(sent - left)))
    return sent


@pytest.mark.parametrize("at_once", [1, 24, 300])
def test_requests_under_way_do_not_pass_the_limit_on_tokens(at_once: int) -> None:
    spending = begun(Budget(max_tokens=1_000_000), PRICES, [OWN], expected=Expected(tokens=1_000))
    assert send_all(spending, at_once) == 1_000
    assert spending.report().tokens == 1_000_000


def test_uneven_requests_overshoot_by_less_than_what_is_under_way() -> None:
    spending = begun(Budget(max_tokens=1_000_000), PRICES, [OWN], expected=Expected(tokens=1_000))
    send_all(spending, 24, lambda number: 300 if number % 2 else 1_500)
    assert 976_000 < spending.report().tokens < 1_012_000


def test_a_stop_says_which_limit_and_how_far() -> None:
    spending = begun(Budget(max_tokens=2_500), PRICES, [OWN])
    for _ in range(2):
        assert spending.stop_reason() is None
        spending.request_done(done())
    said = "stopped at the budget: 2,000 of 2,500 tokens (--max-tokens)"
    assert spending.stop_reason() == said
    assert stopped_note(said, kept=412, asked=500) == f"{said}; 412 of 500 calls are kept; raise it and ask again"


def test_cost_counts_by_endpoint_and_own_machines_are_free() -> None:
    spending = begun(Budget(max_cost=1.0), PRICES, [OWN, PAID])
    spending.request_done(done(OWN, 1_000_000, 1_000_000))
    assert spending.stop_reason() is None
    spending.request_done(done(PAID, 100_000, 100_000))
    report = spending.report()
    assert report.cost == pytest.approx(1.0)
    assert report.by_endpoint[OWN.url].cost == 0
    assert spending.stop_reason() == "stopped at the budget: 1.00 of 1.00 USD (--max-cost)"


def test_the_batch_api_counts_at_its_own_price() -> None:
    spending = begun(Budget(), PRICES, [PAID], batch_api=True)
    spending.request_done(done(PAID, 100_000, 100_000))
    assert spending.report().cost == pytest.approx(0.5)


def test_a_limit_on_an_unknown_cost_is_refused_and_without_one_the_cost_is_unknown() -> None:
    unknown = Endpoint(name="openai", url=PAID.url, model="gpt-9", tier="openai")
    with pytest.raises(BadInput, match="no price is known for gpt-9"):
        begun(Budget(max_cost=1.0), PRICES, [unknown])
    spending = begun(Budget(), PRICES, [unknown])
    spending.request_done(done(unknown))
    assert spending.report().cost is None


def test_minutes_leave_room_for_the_request_that_would_follow() -> None:
    now = [0.0]
    spending = begun(Budget(max_minutes=2), PRICES, [OWN], clock=lambda: now[0])
    spending.request_done(done(duration_ms=30_000))
    now[0] = 89.0
    assert spending.stop_reason() is None
    now[0] = 91.0
    assert spending.stop_reason() == "stopped at the budget: 1.5 of 2 minutes (--max-minutes)"


def test_what_earlier_runs_of_the_set_spent_counts() -> None:
    usage = CallUsage(call_id="c", endpoint=PAID.url, tokens_in=100_000, tokens_out=100_000, duration_ms=1, items=1)
    spending = begun(Budget(max_cost=1.5), PRICES, [PAID], earlier=[usage])
    assert spending.report().cost == pytest.approx(1.0)
    assert spending.stop_reason() is None
    spending.request_done(done(PAID, 0, 60_000))
    assert spending.stop_reason() is not None
    # An own machine that is gone cost nothing; a paid one that is gone is priced as what is asked now.
    gone = [CallUsage(call_id="d", endpoint=url, tokens_in=0, tokens_out=125_000, duration_ms=1, items=1)
            for url in ("http://pi.local/v1", "https://other.example/v1")]  # fmt: skip
    assert begun(Budget(), PRICES, [PAID], earlier=gone).report().cost == pytest.approx(1.0)


def test_a_slice_has_its_share() -> None:
    usage = CallUsage(call_id="c", endpoint=OWN.url, tokens_in=0, tokens_out=1_000, duration_ms=1, items=1)
    spending = begun(Budget(max_tokens=8_000), PRICES, [OWN], earlier=[usage], share=0.25)
    assert send_all(spending, 1) == 1  # 250 of 2,000 were spent, a request takes 1,000
    assert "2,000 tokens (--max-tokens for this slice, 25% of the set)" in (spending.stop_reason() or "")


def test_tokens_nobody_counted_are_guessed_from_the_text_and_said() -> None:
    spending = begun(Budget(), PRICES, [OWN])
    spending.request_done(done(tokens_in=None, tokens_out=None, raw_text="x" * 400, attempts=3, failure="reset"))
    spending.request_done(done(None, None, None, attempts=0, failure="connect"))
    assert spending.report().tokens_out == 100
    assert spending.report().uncounted == 3


def test_what_has_no_room_now_has_it_once_less_came_than_was_expected() -> None:
    under_way = 1
    spending = Spending(Budget(max_tokens=3_000), PRICES)
    spending.begin([OWN], in_flight=lambda: under_way, expected=Expected(tokens=2_000))
    assert not spending.has_room()
    spending.request_done(done())  # 1,000, not 2,000
    under_way = 0
    assert spending.has_room()
    assert spending.stop_reason() is None
