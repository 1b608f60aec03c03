"""How many calls a model is asked for at once."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tip_assets.generation.batching import plan_batches
from tip_resources.domain.dataset_spec import Complexity, DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.llm.context_budget import UNKNOWN_CONTEXT_TOKENS
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import GenerationSettings

SETTINGS = GenerationSettings()


def spec(complexity: Complexity = "simple", count: int = 500) -> DatasetSpec:
    return DatasetSpec(name="d", count=count, domain="healthcare", complexity=complexity)


def endpoint(window: int | None) -> Endpoint:
    return Endpoint(name="e", url="http://localhost:1/v1", model="m", context_window_tokens=window)


def test_a_large_window_takes_the_whole_band() -> None:
    assert plan_batches(spec(), SETTINGS, [endpoint(1_000_000)]).size == SETTINGS.batch_size_simple.high
    assert plan_batches(spec("complex"), SETTINGS, [endpoint(1_000_000)]).size == SETTINGS.batch_size_complex.high


def test_the_smallest_window_decides() -> None:
    both = plan_batches(spec(), SETTINGS, [endpoint(1_000_000), endpoint(16_384)])
    assert both == plan_batches(spec(), SETTINGS, [endpoint(16_384)])
    assert 1 <= both.size < SETTINGS.batch_size_simple.low
    assert "16384" in both.reason


def test_a_window_too_small_for_a_full_call_gets_shorter_calls_rather_than_none() -> None:
    batch = plan_batches(spec("complex"), SETTINGS, [endpoint(None)])
    assert batch.size == 1
    assert batch.exchanges.high < SETTINGS.exchanges_complex.low
    assert str(UNKNOWN_CONTEXT_TOKENS) in batch.reason


def test_a_window_that_holds_no_call_at_all_says_what_to_do() -> None:
    with pytest.raises(BadInput, match="larger context window"):
        plan_batches(spec(), SETTINGS, [endpoint(1_500)])


def test_no_more_calls_are_asked_for_than_the_set_has() -> None:
    assert plan_batches(spec(count=3), SETTINGS, [endpoint(1_000_000)]).size == 3


@given(st.integers(2_200, 300_000), st.sampled_from(["simple", "complex"]))
def test_a_batch_always_fits_its_window(window: int, complexity: Complexity) -> None:
    batch = plan_batches(spec(complexity), SETTINGS, [endpoint(window)])
    assert batch.size >= 1
    assert batch.max_output_tokens < window
    assert batch.exchanges.low <= batch.exchanges.high


def test_two_agents_write_one_call_at_a_time_and_shorter_ones_where_the_window_is_small() -> None:
    two = msgspec.structs.replace(spec(), mode="two_agent")
    assert plan_batches(two, SETTINGS, [endpoint(1_000_000)]).size == 1
    assert plan_batches(two, SETTINGS, [endpoint(1_000_000)]).exchanges == SETTINGS.exchanges_simple
    assert plan_batches(two, SETTINGS, [endpoint(None)]).exchanges.high < SETTINGS.exchanges_simple.high
