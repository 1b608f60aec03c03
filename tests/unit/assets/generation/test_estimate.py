"""Estimates: a range where it is a guess, what was measured where something was, and never a cost nobody knows."""

import pytest

from tip_assets.generation.batching import BatchPlan
from tip_assets.generation.estimate import Span, estimate, in_words, measured_of
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.prices import Price, PriceList
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import GenerationSettings, IntRange
from tip_resources.storage.checkpoint import CallUsage

OWN = Endpoint(name="own", url="http://localhost:1/v1", model="phi-4", concurrency=4)
PAID = Endpoint(name="openai", url="https://api.openai.com/v1", model="gpt-4.1", tier="openai")
PRICES = PriceList(models={"gpt-4.1": Price(input=2, output=8)}, batch_factor=0.5)
GENERATION = GenerationSettings()
BATCHES = BatchPlan(15, IntRange(low=20, high=40), 48_000, "simple calls")


def spec(**changes) -> DatasetSpec:
    return DatasetSpec(**({"name": "d", "count": 500, "domain": "retail"} | changes))


def usages(calls: int) -> list[CallUsage]:
    return [
        CallUsage(call_id=str(n), endpoint=OWN.url, tokens_in=5_000, tokens_out=12_000, duration_ms=30_000, items=10)
        for n in range(calls // 10)
    ]


def test_from_the_settings_it_is_a_range() -> None:
    found = estimate(spec(), GENERATION, [OWN], PRICES, BATCHES)
    assert found.tokens_out == Span(500 * 40 * 40, 500 * 80 * 40)
    assert found.model_calls == Span(34, 34)
    assert found.tokens_in.low == 34 * 800 + 500 * 700
    assert in_words(found) == (
        "about 800k to 1.6M tokens out, 377k in, 34 model calls, 0.00 USD (own machines), speed unknown; "
        "from 40 tokens a turn (generation.tokens_per_turn)"
    )


def test_an_earlier_set_of_the_kind_says_it_better() -> None:
    measured = measured_of(usages(100), source=" on retail-1")
    found = estimate(spec(), GENERATION, [OWN], PRICES, BATCHES, measured)
    assert found.tokens_out == Span(600_000, 600_000)
    assert found.tokens_per_second == 4 * 400
    assert in_words(found) == (
        "about 600k tokens out, 250k in, 34 model calls, 0.00 USD (own machines), about 6 min at 1,600 tok/s measured; "
        "from 1200 tokens a kept call, measured on retail-1"
    )


def test_a_few_calls_measure_nothing() -> None:
    assert measured_of(usages(0)) is None
    one = CallUsage(call_id="c", endpoint="", tokens_in=1, tokens_out=1, duration_ms=1, items=4)
    assert measured_of([one]) is None


def test_a_paid_model_has_a_cost_that_the_batch_api_halves() -> None:
    found = estimate(spec(), GENERATION, [PAID], PRICES, BATCHES)
    assert found.cost is not None
    assert found.cost.high == pytest.approx((377_200 * 2 + 1_600_000 * 8) / 1e6)
    assert found.per_request.cost == pytest.approx(found.cost.high / 34)
    assert found.per_request.tokens == pytest.approx((377_200 + 1_600_000) / 34)
    half = estimate(spec(batch_api=True, tier="openai"), GENERATION, [PAID], PRICES, BATCHES)
    assert half.cost is not None
    assert half.cost.high == pytest.approx(found.cost.high / 2)
    assert "6.78 USD, within 24 h (batch API)" in in_words(half)


def test_an_unknown_cost_is_never_nothing() -> None:
    unknown = Endpoint(name="openai", url=PAID.url, model="gpt-9", tier="openai")
    assert "cost unknown (no price for gpt-9)" in in_words(estimate(spec(), GENERATION, [unknown], PRICES, BATCHES))
    nobody = estimate(spec(), GENERATION, [], PRICES, BATCHES)
    assert nobody.cost is None
    assert "cost unknown (no model server answers yet)" in in_words(nobody)


def test_two_agents_make_a_model_call_of_every_turn() -> None:
    found = estimate(spec(mode="two_agent"), GENERATION, [OWN], PRICES, BATCHES)
    assert found.model_calls == Span(500 * 40, 500 * 80)
    assert found.tokens_in.high > 10 * found.tokens_out.high
