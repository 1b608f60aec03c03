"""dataset_metrics and realism_discriminator where the reference calls are not as they should be."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine

from tip_assets.partitions import DATASET_PARTITIONS, datasets
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import plan_calls
from tip_assets.platform import Platform
from tip_assets.quality.metrics_asset import dataset_metrics
from tip_assets.quality.realism.reference import built_in_reference
from tip_assets.quality.realism_assets import realism_discriminator
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import Persona
from tip_resources.domain.scenario import Scenario
from tip_resources.domain.set_metric import SetMetric
from tip_resources.storage.sets import read_set, write_set

DATASET = "clinic"


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine) -> Path:
    return tmp_path


def made(asset: dg.AssetsDefinition, home: Path) -> tuple[dg.ExecuteInProcessResult, dict[str, SetMetric]]:
    """The asset's rows for a set of forty calls, made by Dagster as in a run."""
    spec = DatasetSpec(name=DATASET, count=3, domain="healthcare", seed=4)
    plans = list(plan_calls(spec, load_library("healthcare", home / "none")))
    sets: dict[str, tuple[Iterable[Any], type]] = {
        "dataset_specs": ([spec], DatasetSpec),
        "scenarios": ([plan.scenario for plan in plans], Scenario),
        "personas": ([who for plan in plans for who in (plan.customer, plan.agent)], Persona),
        "scrubbed_conversations": (built_in_reference().conversations, Conversation),
    }
    wanted = {key.to_user_string() for key in asset.dependency_keys}
    sources = [_source(name, rows, type_, home) for name, (rows, type_) in sets.items() if name in wanted]
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(DATASET_PARTITIONS, [DATASET])
    result = dg.materialize(
        [asset, *sources],
        partition_key=DATASET,
        instance=instance,
        resources={"platform": Platform(home=str(home)), "io_manager": dg.mem_io_manager},
    )
    rows = read_set(result.output_for_node(asset.key.to_user_string()), SetMetric)
    return result, {row.name: row for row in rows}


def _source(name: str, rows: Iterable[Any], type_: type, home: Path) -> dg.AssetsDefinition:
    @dg.asset(name=name, partitions_def=datasets)
    def source():
        return write_set(rows, type_, home / "sources" / name)

    return source


@pytest.mark.parametrize(("asset", "figure"), [(dataset_metrics, "turns"), (realism_discriminator, "accuracy")])
def test_a_reference_that_cannot_be_read_loses_no_set_and_says_how_to_mend_it(
    asset: dg.AssetsDefinition, figure: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIP_QUALITY__REFERENCE", "gone.jsonl")
    result, rows = made(asset, home)
    assert result.success and rows[figure].reference is None and rows[figure].distance is None
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed and check.severity is dg.AssetCheckSeverity.WARN and not check.blocking
    assert "gone.jsonl" in (check.description or "") and "leave the setting empty" in (check.description or "")
    if figure == "accuracy":
        assert rows[figure].value is None and "gone.jsonl" in rows[figure].detail


@pytest.mark.slow
@pytest.mark.parametrize(("asset", "figure"), [(dataset_metrics, "turns"), (realism_discriminator, "accuracy")])
def test_a_reference_that_is_there_passes(asset: dg.AssetsDefinition, figure: str, home: Path) -> None:
    result, rows = made(asset, home)
    (check,) = result.get_asset_check_evaluations()
    assert check.passed and rows[figure].value is not None and rows[figure].distance is not None
