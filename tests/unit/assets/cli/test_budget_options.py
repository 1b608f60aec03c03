"""Options on budgets: what is given goes over the spec, and what cannot be kept is refused before anything starts."""

from pathlib import Path

import pytest

from tip_assets.cli.budget_options import with_options
from tip_assets.cli.estimating import estimate_for
from tip_resources.domain.dataset_spec import Budget, DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.settings.models import EndpointSettings, ModelSettings, Settings

SPEC = DatasetSpec(name="d", count=10, domain="retail", budget=Budget(max_tokens=5, max_minutes=3))
PRICES = 'models: {"gpt-4.1": {input: 2, output: 8}}\nbatch_factor: 0.5'


@pytest.fixture
def nobody_answers() -> Settings:
    gone = EndpointSettings(url="http://127.0.0.1:9/v1", tier="openai")
    return Settings(models=ModelSettings(endpoints=(gone,), probe_localhost=False))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "prices.yaml").write_text(PRICES)
    for name in ("TIP_LLM_URL", "TIP_LLM_MODEL", "TIP_LLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_what_is_given_goes_over_the_spec_and_the_rest_stays() -> None:
    changed = with_options(SPEC, {"max_tokens": 9, "max_cost": None, "max_minutes": None, "mode": None})
    assert changed.budget == Budget(max_tokens=9, max_minutes=3)
    assert (changed.mode, changed.batch_api) == ("batched", False)


@pytest.mark.parametrize(
    ("given", "named"),
    [({}, "tier openai"), ({"max_minutes": 5.0}, "limit on minutes"), ({"mode": "two_agent"}, "each turn waits")],
)
def test_the_batch_api_is_refused_where_it_cannot_be_had(given: dict, named: str) -> None:
    tier = None if not given else "openai"
    spec = DatasetSpec(name="d", count=10, domain="retail", tier=tier)
    with pytest.raises(BadInput, match=named):
        with_options(spec, {"batch_api": True, **given})


def test_a_named_model_has_a_price_before_anybody_answers(home: Path, nobody_answers: Settings) -> None:
    spec = DatasetSpec(name="d", count=10, domain="retail", tier="openai", model="gpt-4.1", batch_api=True)
    found = estimate_for(spec, home, nobody_answers)
    assert found.cost is not None
    assert found.model_calls.high == 10  # one call each, in the batch API
    assert found.cost.high == pytest.approx((found.tokens_in.high * 2 + found.tokens_out.high * 8) / 1e6 / 2)


def test_a_limit_on_a_cost_nobody_knows_is_refused(home: Path, nobody_answers: Settings) -> None:
    spec = DatasetSpec(name="d", count=10, domain="retail", tier="openai", model="gpt-9", budget=Budget(max_cost=1))
    with pytest.raises(BadInput, match=r"config/prices\.local\.yaml.*gpt-9"):
        estimate_for(spec, home, nobody_answers)


def test_a_rehearsal_is_free_and_starts_no_server(home: Path, nobody_answers: Settings) -> None:
    found = estimate_for(DatasetSpec(name="d", count=10, domain="retail", rehearsal=True), home, nobody_answers)
    assert found.is_free
