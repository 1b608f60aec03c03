"""Who grades is chosen per run; both grades are kept; a judge that is not there fails the step with words."""

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from sqlalchemy import Engine, text

from tip_assets.definitions import build_definitions
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.platform import Platform
from tip_assets.quality.graded_asset import SECOND_GRADES, GradingChoice
from tip_assets.quality.grading import RUBRIC_VERSION
from tip_assets.quality.judge_rubric import judge_rubric_version
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.grade import GradingTier, SecondGrade
from tip_resources.storage.sets import read_set

COUNT = 3


def run(home: Path, instance: dg.DagsterInstance, config: dict[str, Any] | None = None, *, grading: GradingTier | None):
    platform = Platform(home=str(home))
    spec = DatasetSpec(name="shop", count=COUNT, domain="retail", rehearsal=True, seed=3, grading=grading)
    platform.requests().add(spec, source="cli")
    instance.add_dynamic_partitions(DATASET_PARTITIONS, ["shop"])
    return build_definitions({"platform": platform}).resolve_job_def("make_dataset").execute_in_process(
        instance=instance,
        partition_key="shop",
        run_config={"ops": {"graded_conversations": {"config": config}}} if config else None,
    )  # fmt: skip


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (made,) = result.asset_materializations_for_node("graded_conversations")
    return {name: entry.value for name, entry in made.metadata.items()}


@pytest.mark.slow
def test_a_judge_that_is_not_calibrated_stands_beside_the_local_grade(
    home: Path, instance: dg.DagsterInstance, fresh_database: Engine
) -> None:
    result = run(home, instance, {"tier": "network", "samples": 2}, grading=None)
    layout = Platform(home=str(home)).layout()
    calls = list(read_set(pl.scan_parquet(str(layout.set_file("graded_conversations", "shop"))), Conversation))
    second = list(read_set(pl.scan_parquet(str(layout.set_file(SECOND_GRADES, "shop"))), SecondGrade))
    assert [call.annotations.grade.rubric_version for call in calls if call.annotations.grade] == [RUBRIC_VERSION] * 3
    assert [(one.id, one.grade.tier, one.grade.rubric_version) for one in second] == [
        (call.id, "network", judge_rubric_version()) for call in calls
    ]
    said = metadata_of(result)
    assert (said["tier"], said["judge"], said["judge_decides"], said["judged"]) == ("network", "rehearsal", False, 3)
    assert said["judge_calibration"].startswith("not calibrated")
    assert said["answers_asked"] >= 2 * COUNT
    (spent,) = (row.data for row in said["judge_spending"].records)
    assert spent["in"] + spent["out"] == said["judge_tokens"] > 0 and said["judge_cost"] == 0
    report = (layout.exports("shop", "report") / "report.html").read_text(encoding="utf-8")
    assert "Cost of writing" in report and "Cost of judging" in report and f"{said['judge_tokens']:,}" in report
    assert "data:image/svg+xml" in said["grades"]
    with fresh_database.connect() as connection:
        tiers = connection.execute(text("SELECT tier, count(*) FROM tip.quality_scores GROUP BY tier ORDER BY tier"))
        assert [tuple(row) for row in tiers] == [("local", 3), ("network", 3)]
    again = metadata_of(run(home, instance, {"tier": "network", "samples": 2}, grading=None))
    assert (again["judged"], again["answers_asked"], again["judge_tokens"]) == (3, 0, said["judge_tokens"])


@pytest.mark.slow
def test_the_data_set_may_ask_for_a_tier_and_the_launchpad_goes_before_it(
    home: Path, instance: dg.DagsterInstance
) -> None:
    assert metadata_of(run(home, instance, grading="network"))["tier"] == "network"
    said = metadata_of(run(home, instance, {"tier": "local"}, grading="network"))
    assert said["tier"] == "local"
    assert "judge" not in said
    file = Platform(home=str(home)).layout().set_file(SECOND_GRADES, "shop")
    assert pl.read_parquet(str(file)).height == 0


def test_the_launchpad_offers_the_tiers_with_a_description_each() -> None:
    op = build_definitions().resolve_job_def("make_dataset").graph.node_named("graded_conversations").definition
    assert isinstance(op, dg.OpDefinition)
    kind = op.config_schema.config_type.fields["tier"].config_type  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
    described = {value.config_value: value.description for value in kind.enum_values}
    assert described == {choice.name: choice.value for choice in GradingChoice}
    assert list(described) == ["settings", "local", "network", "openai"]
