"""The words and origins of columns are of columns that there are."""

import polars as pl
import pytest

from tests.unit.assets.test_definitions import GRAPH, specs
from tip_assets.columns import COLUMNS
from tip_assets.quality.realism.curve import CurvePoint
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import Persona
from tip_resources.domain.scenario import Scenario
from tip_resources.domain.set_metric import SetMetric
from tip_resources.storage.columns import LINEAGE_KEY, SCHEMA_KEY, Column, column_metadata
from tip_resources.storage.parquet_schema import parquet_schema

KINDS = {
    "dataset_specs": DatasetSpec,
    "scenarios": Scenario,
    "personas": Persona,
    "raw_conversations": Conversation,
    "deduped_conversations": Conversation,
    "graded_conversations": Conversation,
    "scrubbed_conversations": Conversation,
    "dataset_metrics": SetMetric,
    "realism_discriminator": SetMetric,
    "feedback_rounds": CurvePoint,
    "jsonl_export": Conversation,
}
# A page of HTML has no columns.
WITHOUT_COLUMNS = {"dataset_report"}


def test_every_asset_tells_its_columns() -> None:
    assert set(COLUMNS) == {spec.key.to_user_string() for spec in specs()} - WITHOUT_COLUMNS
    assert all(column.words for columns in COLUMNS.values() for column in columns.values())


@pytest.mark.parametrize("asset", KINDS)
def test_the_columns_told_are_those_stored(asset: str) -> None:
    stored: pl.Schema = parquet_schema(KINDS[asset])
    assert set(COLUMNS[asset]) == set(stored)


def upstream(asset: str) -> set[str]:
    return GRAPH[asset].union(*(upstream(one) for one in GRAPH[asset])) if GRAPH[asset] else set()


@pytest.mark.parametrize("asset", COLUMNS)
def test_columns_are_made_from_columns_of_assets_before_theirs(asset: str) -> None:
    origins = {origin for column in COLUMNS[asset].values() for origin in column.made_from}
    known = {f"{before}.{name}" for before in upstream(asset) for name in COLUMNS[before]}
    assert origins <= known


def test_an_export_leads_back_to_the_scrubbed_calls() -> None:
    for export in ("lex_export", "csv_export", "jsonl_export"):
        assert all(column.made_from for column in COLUMNS[export].values()), export


def test_dagster_is_told_types_words_and_lineage() -> None:
    told = column_metadata({"text": "String", "seed": "Int64"}, {"text": Column("What was said.", ("calls.turns",))})
    text, seed = told[SCHEMA_KEY].columns
    assert (text.type, text.description, seed.type, seed.description) == (
        "String",
        "What was said. From calls: turns.",
        "Int64",
        None,
    )
    [dependency] = told[LINEAGE_KEY].deps_by_column["text"]
    assert (dependency.asset_key.to_user_string(), dependency.column_name) == ("calls", "turns")
    assert LINEAGE_KEY not in column_metadata({"seed": "Int64"}, {})
