"""Prices: found by name and version, free at home, and never 0 where nobody knows."""

from pathlib import Path

import pytest

from tip_resources.domain.failures import BadInput
from tip_resources.llm.prices import OWN_PRICES_FILE, Price, PriceList, check_prices_known, load_prices
from tip_resources.llm.types import Endpoint

ROOT = Path(__file__).resolve().parents[4]
LISTED = PriceList(
    models={
        "gpt-4.1": Price(input=2, output=8),
        "gpt-4.1-mini": Price(input=0.4, output=1.6),
        "ft:gpt-4.1*": Price(input=3, output=12),
        "ft:gpt-4.1-mini*": Price(input=0.8, output=3.2),
    },
    batch_factor=0.5,
)


def paid(model: str, url: str = "https://api.openai.com/v1") -> Endpoint:
    return Endpoint(name="openai", url=url, model=model, tier="openai")


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-4.1", 2),
        ("gpt-4.1-2025-04-14", 2),
        ("gpt-4.1-latest", 2),
        ("gpt-4.1-mini-2025-04-14", 0.4),
        ("ft:gpt-4.1-2025-04-14:us", 3),
        ("ft:gpt-4.1-mini-2025-04-14:us", 0.8),
    ],
)
def test_a_dated_version_costs_what_its_model_costs(model: str, price: float) -> None:
    found = LISTED.of_model(model)
    assert found is not None
    assert found.input == price


@pytest.mark.parametrize("model", ["gpt-4.1-pro", "gpt-4.10", "gpt-4", "o9"])
def test_another_model_with_a_similar_name_has_no_price(model: str) -> None:
    assert LISTED.of_model(model) is None
    assert LISTED.cost(paid(model), 10, 10) is None


def test_machines_of_ones_own_cost_nothing_and_a_hosted_model_is_not_free_by_mistake() -> None:
    for url in ("http://localhost:1234/v1", "http://192.168.1.20:1234/v1", "http://gpu.local/v1"):
        assert LISTED.cost(Endpoint(name="own", url=url, model="gpt-4.1"), 1_000_000, 1_000_000) == 0
    assert LISTED.cost(Endpoint(name="hosted", url="https://openrouter.ai/api/v1", model="phi-4"), 1, 1) is None
    assert LISTED.cost(paid("gpt-4.1", "http://127.0.0.1:9/v1"), 1_000_000, 1_000_000) == 10


def test_the_batch_api_halves_the_price() -> None:
    assert LISTED.cost(paid("gpt-4.1"), 1_000_000, 500_000) == 6
    assert LISTED.cost(paid("gpt-4.1"), 1_000_000, 500_000, batch_api=True) == 3


def test_a_limit_on_an_unknown_cost_is_refused_with_the_line_to_add() -> None:
    with pytest.raises(BadInput, match=r'prices\.local\.yaml.*"gpt-9": \{input'):
        check_prices_known([paid("gpt-9"), paid("gpt-4.1")], LISTED)
    check_prices_known([paid("gpt-4.1")], LISTED)


def test_the_shipped_list_can_be_read_and_own_prices_go_over_it(tmp_path: Path) -> None:
    shipped = load_prices(ROOT)
    assert shipped.batch_factor == 0.5
    assert shipped.checked == "2026-11-21"
    assert shipped.cost(paid("gpt-4.1-mini-2025-04-14"), 1_000_000, 1_000_000) == 2.0
    (tmp_path / "config").mkdir()
    assert load_prices(tmp_path).of_model("gpt-4.1") is None
    (tmp_path / OWN_PRICES_FILE).write_text('models: {"gpt-9": {input: 1, output: 2}}')
    assert load_prices(tmp_path).of_model("gpt-9") == Price(input=1, output=2)


@pytest.mark.parametrize(
    ("text", "named"), [("models: {a: {input: -1, output: 1}}", "input"), ("models:\n  a: [", "line"), ("x: 1", "x")]
)
def test_a_wrong_price_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / OWN_PRICES_FILE).write_text(text)
    with pytest.raises(BadInput, match=named) as caught:
        load_prices(tmp_path)
    assert OWN_PRICES_FILE in str(caught.value)
