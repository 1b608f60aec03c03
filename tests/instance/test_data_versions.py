"""Data versions are of the content: the same content has the same one, another content another, on a real instance."""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from sqlalchemy import Engine

from tip_assets.cli.main import main
from tip_assets.definitions import build_definitions
from tip_assets.generation.assets import FRESH_TAG
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.platform import Platform
from tip_assets.versions import STORED, WAY, asset_versions
from tip_resources.domain.dataset_spec import DatasetSpec

DATASET = "clinic"
PROJECT = Path(__file__).parents[2]
EXPORTS = ("lex_export", "csv_export", "jsonl_export")

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIP_QUALITY__SEMANTIC_VECTORS", "words")
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as real:
        yield real


@pytest.fixture
def job(home: Path, instance: dg.DagsterInstance) -> dg.JobDefinition:
    """make_dataset, for a set of four calls that was asked for."""
    spec = DatasetSpec(name=DATASET, count=4, domain="healthcare", rehearsal=True, seed=3)
    Platform(home=str(home)).requests().add(spec, source="cli")
    instance.add_dynamic_partitions(DATASET_PARTITIONS, [DATASET])
    return build_definitions({"platform": Platform(home=str(home))}).resolve_job_def("make_dataset")


def recorded(instance: dg.DagsterInstance) -> dict[str, str]:
    return {one.asset: one.data_version for one in asset_versions(instance, STORED, DATASET) if one.is_of_content}


def stored(*arguments: object) -> dict[str, str]:
    told = CliRunner().invoke(main, ["trace", *map(str, arguments), "--json"])
    assert told.exit_code == 0, told.output
    return {one["asset"]: one["stored"] for one in json.loads(told.stdout)["run"]["assets"]}


def status(instance: dg.DagsterInstance, asset: str) -> StaleStatus:
    """What Dagster's pages show of an asset."""
    graph = build_definitions().resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return resolver.get_status(dg.AssetKey(asset), DATASET)


def test_the_same_content_made_again_has_the_same_version_and_other_content_another(
    home: Path, instance: dg.DagsterInstance, job: dg.JobDefinition
) -> None:
    job.execute_in_process(instance=instance, partition_key=DATASET)
    first = recorded(instance)
    assert set(first) == set(STORED) == set(stored(DATASET)) and set(stored(DATASET).values()) == {"as made"}
    # Every call is kept from before, so all that is made of them is the same.
    job.execute_in_process(instance=instance, partition_key=DATASET)
    again = recorded(instance)
    assert {name: again[name] for name in (*WAY, *EXPORTS)} == {name: first[name] for name in (*WAY, *EXPORTS)}
    assert status(instance, "deduped_conversations") is StaleStatus.FRESH
    # Written anew, the same plan gives other calls; what was made of the old ones shows as behind.
    written_anew = [dg.AssetKey("raw_conversations")]
    job.execute_in_process(
        instance=instance, partition_key=DATASET, asset_selection=written_anew, tags={FRESH_TAG: "true"}
    )
    assert recorded(instance)["raw_conversations"] != first["raw_conversations"]
    assert status(instance, "deduped_conversations") is StaleStatus.STALE
    line = home / ".tip" / "data" / "exports" / DATASET / "jsonl" / "conversations.jsonl"
    told = stored(line, 1)
    assert told["raw_conversations"] == "made again since" and told["deduped_conversations"] == "as made"
    _a_manifest_that_was_rewritten_with_its_file_is_found_out(line)
    # Somebody else's hand.
    with Path(Platform(home=str(home)).layout().set_file("personas", DATASET).path).open("ab") as file:
        file.write(b"\n")
    assert stored(DATASET)["personas"] == "CHANGED since"
    told = CliRunner().invoke(main, ["trace", DATASET])
    assert "note: personas: what is stored is NOT what was made" in told.stdout
    told = CliRunner().invoke(main, ["trace", str(line), "1"])
    assert told.exit_code == 1 and "it is no Parquet file" in told.output and f"tip trace {DATASET}" in told.output


def _a_manifest_that_was_rewritten_with_its_file_is_found_out(line: Path) -> None:
    manifest = line.with_name("manifest.json")
    before = sha256(line.read_bytes()).hexdigest()
    line.write_bytes(line.read_bytes().replace(b'"speaker":"agent"', b'"speaker":"customer"'))
    manifest.write_text(manifest.read_text().replace(before, sha256(line.read_bytes()).hexdigest()))
    told = CliRunner().invoke(main, ["trace", str(line), "1"])
    assert told.exit_code == 0, told.output
    notes = told.stdout
    assert "NOT as it was exported" not in notes and "The manifest is NOT that of the jsonl_export" in notes
