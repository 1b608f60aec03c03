"""Every asset says what it is, and the graph is the one the documents draw."""

from functools import cache
from pathlib import Path

import dagster as dg
import pytest

from node_agent.identity import node_name
from tip_assets.catalogue import FLEET, GROUPS, RUN_POOL
from tip_assets.fleet.assets import fleet_specs
from tip_assets.fleet.figures import GATE_KEY, node_key
from tip_resources.fleet.noted_names import note_names, noted_names


@cache
def definitions() -> dg.Definitions:
    from tip_assets.definitions import defs

    return defs


def specs() -> list[dg.AssetSpec]:
    """Of the assets that are made."""
    return [spec for spec in definitions().resolve_all_asset_specs() if spec.group_name != FLEET]


GRAPH = {
    "dataset_specs": set(),
    "scenarios": {"dataset_specs"},
    "personas": {"dataset_specs", "scenarios"},
    "raw_conversations": {"dataset_specs", "scenarios", "personas"},
    "deduped_conversations": {"raw_conversations"},
    "graded_conversations": {"dataset_specs", "deduped_conversations", "scenarios", "personas"},
    "scrubbed_conversations": {"dataset_specs", "graded_conversations", "scenarios", "personas"},
    "realism_discriminator": {"scrubbed_conversations"},
    "feedback_rounds": set(),
    "dataset_metrics": {"dataset_specs", "scenarios", "personas", "scrubbed_conversations"},
    "lex_export": {"dataset_specs", "scrubbed_conversations"},
    "csv_export": {"dataset_specs", "scrubbed_conversations"},
    "jsonl_export": {"dataset_specs", "scrubbed_conversations"},
    "dataset_report": {
        *("dataset_specs", "scenarios", "personas", "raw_conversations", "deduped_conversations"),
        *("graded_conversations", "scrubbed_conversations", "lex_export", "csv_export", "jsonl_export"),
        *("dataset_metrics", "realism_discriminator"),
    },
}


def test_the_graph_is_the_documented_one() -> None:
    found = {spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps} for spec in specs()}
    assert found == GRAPH


@pytest.mark.parametrize("field", ["description", "group_name", "owners", "kinds", "code_version", "partitions_def"])
def test_every_asset_says_what_it_is(field: str) -> None:
    assert not [spec.key.to_user_string() for spec in specs() if not getattr(spec, field)]
    assert {spec.group_name for spec in specs()} == set(GROUPS)


def test_machines_and_the_gate_are_observed_and_never_part_of_a_job(tmp_path: Path) -> None:
    note_names(tmp_path, ["pi-4b", "rtx-laptop"])
    machines = fleet_specs(noted_names(tmp_path))
    assert [spec.key.to_user_string() for spec in machines] == ["fleet_gate", "fleet/pi-4b", "fleet/rtx-laptop"]
    found = [spec for spec in definitions().resolve_all_asset_specs() if spec.group_name == FLEET]
    assert {spec.key for spec in found} >= {dg.AssetKey(GATE_KEY), dg.AssetKey(node_key(node_name()))}
    assert all(spec.description and spec.owners and spec.kinds for spec in (*machines, *found))
    made = definitions().resolve_job_def("make_dataset").asset_layer.selected_asset_keys
    assert not made & {spec.key for spec in found}


@pytest.mark.parametrize("content", ["", "{}", '["pi", 7]', '["../up", "a b"]'])
def test_a_file_of_machines_that_is_not_ours_names_none(content: str, tmp_path: Path) -> None:
    (tmp_path / ".tip").mkdir()
    (tmp_path / ".tip" / "fleet.json").write_text(content)
    assert noted_names(tmp_path) == ()


def test_every_check_says_what_it_looks_at() -> None:
    checks = [check for node in definitions().resolve_asset_graph().asset_check_keys for check in [node]]
    assert len(checks) >= 9
    described = {
        spec.name: spec.description
        for asset in definitions().assets or []
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.check_specs
    }
    assert described and all(described.values())


def test_bad_sets_are_stopped_before_they_leave() -> None:
    blocking = {
        spec.name
        for asset in definitions().assets or []
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.check_specs
        if spec.blocking
    }
    assert blocking >= {"delivered_as_asked", "no_duplicates_left", "no_known_facts_left", "lex_export_is_complete"}


def test_the_sensors_look_every_second_or_two() -> None:
    sensors = list(definitions().sensors or [])
    assert {sensor.name for sensor in sensors} >= {"request_files", "dataset_requests"}
    unhurried = {"node_states", "drained_nodes", "found_nodes", "upkeep"}
    quick = [sensor for sensor in sensors if sensor.name not in unhurried]
    assert all((sensor.minimum_interval_seconds or 99) <= 2 for sensor in quick)
    assert all(sensor.default_status == dg.DefaultSensorStatus.RUNNING for sensor in sensors)


def test_dagster_can_hand_the_definitions_to_its_daemon_and_web_server() -> None:
    repository = definitions().get_repository_def()
    from dagster._core.remote_representation.external_data import RepositorySnap
    from dagster_shared.serdes import serialize_value

    assert serialize_value(RepositorySnap.from_def(repository))


def test_every_step_of_every_job_is_in_the_pool_that_the_gate_sets() -> None:
    jobs = definitions().resolve_all_job_defs()
    assert {job.name for job in jobs} >= {"make_dataset", "improve_round", "bench_modes", "prompt_test", "bakeoff"}
    pools = {f"{job.name}: {op.name}": op.pool for job in jobs for op in job.graph.iterate_op_defs()}
    assert {"make_dataset: write_shard", "make_dataset: dataset_specs", "bakeoff: compare_models"} <= set(pools)
    assert {step: pool for step, pool in pools.items() if pool != RUN_POOL} == {}
