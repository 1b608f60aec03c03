"""Thousands of finished data sets in a database, cheaply: one is really made, the others are copies of its rows.

A copy has its own row in dataset_requests, partition, run with its tags, and of the run's events those that are looked
at across runs: its start and end, and what was planned, materialized and checked. The rest (five rows in six: logs,
inputs, outputs) is only ever read for one run, through the index by run, and is left out.
"""

import dagster as dg
from sqlalchemy import Engine, text

from tip_assets.definitions import build_definitions
from tip_assets.jobs import MAKE_DATASET
from tip_assets.partitions import DATASET_PARTITIONS
from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import DatasetSpec

ORIGINAL = "scale-original"
_CALLS = 3
_EVENTS = (
    "PIPELINE_START", "PIPELINE_SUCCESS", "ASSET_MATERIALIZATION_PLANNED", "ASSET_MATERIALIZATION",
    "ASSET_CHECK_EVALUATION_PLANNED", "ASSET_CHECK_EVALUATION",
)  # fmt: skip
# The number of a copy in hexadecimal takes the place of the run id's last group.
_RUN = "left(:run, 24) || lpad(to_hex(n), 12, '0')"
_NAME = "'set-' || lpad(n::text, 6, '0')"
_OURS = f"replace(replace({{}}, :run, {_RUN}), :original, {_NAME})"
_COPIES = f"""
INSERT INTO tip.dataset_requests (dataset, spec, source, state, run_id, note, created_at, updated_at)
SELECT {_NAME}, jsonb_set(spec, '{{name}}', to_jsonb({_NAME})), source, 'done', {_RUN}, note, now(), now()
FROM tip.dataset_requests, generate_series(:first, :last) n WHERE dataset = :original;

INSERT INTO tip_dagster.dynamic_partitions (partitions_def_name, partition)
SELECT :partitions, {_NAME} FROM generate_series(:first, :last) n;

INSERT INTO tip_dagster.runs (run_id, snapshot_id, pipeline_name, mode, status, run_body, partition, partition_set,
    create_timestamp, update_timestamp, start_time, end_time)
SELECT {_RUN}, snapshot_id, pipeline_name, mode, status, {_OURS.format("run_body")}, {_NAME}, partition_set,
    create_timestamp, update_timestamp, start_time, end_time
FROM tip_dagster.runs, generate_series(:first, :last) n WHERE run_id = :run;

INSERT INTO tip_dagster.run_tags (run_id, key, value)
SELECT {_RUN}, key, {_OURS.format("value")}
FROM tip_dagster.run_tags, generate_series(:first, :last) n WHERE run_id = :run;

INSERT INTO tip_dagster.event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
SELECT {_RUN}, {_OURS.format("event")}, dagster_event_type, timestamp, step_key, asset_key,
    {_OURS.format("partition")}
FROM generate_series(:first, :last) n, tip_dagster.event_logs
WHERE run_id = :run AND dagster_event_type = ANY(:events) ORDER BY n, id;

INSERT INTO tip_dagster.asset_check_executions (asset_key, check_name, partition, run_id, execution_status,
    evaluation_event, evaluation_event_timestamp, evaluation_event_storage_id, materialization_event_storage_id)
SELECT asset_key, check_name, {_OURS.format("partition")}, {_RUN}, execution_status,
    {_OURS.format("evaluation_event")}, evaluation_event_timestamp, evaluation_event_storage_id,
    materialization_event_storage_id
FROM tip_dagster.asset_check_executions, generate_series(:first, :last) n WHERE run_id = :run
"""


def make_original(instance: dg.DagsterInstance, engine: Engine) -> None:
    """One small data set, made by a real run in this process."""
    spec = DatasetSpec(name=ORIGINAL, count=_CALLS, domain="healthcare", rehearsal=True, seed=7)
    requests = RequestStore(engine)
    requests.add(spec, source="cli")
    instance.add_dynamic_partitions(DATASET_PARTITIONS, [ORIGINAL])
    job = build_definitions().resolve_job_def(MAKE_DATASET)
    result = job.execute_in_process(instance=instance, partition_key=ORIGINAL)
    requests.set_state(ORIGINAL, "done", run_id=result.run_id)


def copy_original(engine: Engine, first: int, last: int) -> None:
    """Finished data sets of the numbers `first` to `last`, both included."""
    with engine.begin() as connection:
        run = connection.scalar(
            text("SELECT run_id FROM tip.dataset_requests WHERE dataset = :name"), {"name": ORIGINAL}
        )
        values = {"run": run, "original": ORIGINAL, "first": first, "last": last, "events": list(_EVENTS)}
        for statement in _COPIES.split(";"):
            connection.execute(text(statement), {**values, "partitions": DATASET_PARTITIONS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as autovacuum would have done by then


def ask_for(engine: Engine, count: int) -> None:
    """So many more data sets wait to be made."""
    requests = RequestStore(engine)
    for number in range(count):
        name = f"waiting-{number:06d}"
        requests.add(DatasetSpec(name=name, count=10, domain="retail", rehearsal=True, seed=number), source="cli")
