"""What of Dagster's tables is forgotten: it deletes nothing but old ticks by itself.

Statements on the tables instead of Dagster's API: that deletes a run and its events in two transactions, and nothing
in batches. What stays for an auditor: every run that made something of a data set that is still there, with what it
materialized, checked, and how its steps ended. Definitions of old jobs (snapshots) stay too; they are few.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Engine, text

from tip_resources.database.schema import DAGSTER_SCHEMA
from tip_resources.settings.upkeep_models import RetentionSettings
from tip_resources.upkeep.chores import Amount, Chore

_RUNS_PER_BATCH = 20
_ROWS_PER_BATCH = 5_000

# Events that tell how a run went on, not what came of it. A type that is not listed stays.
DETAILS = (
    "ASSET_STORE_OPERATION",
    "ENGINE_EVENT",
    "HANDLED_OUTPUT",
    "HOOK_COMPLETED",
    "HOOK_SKIPPED",
    "LOADED_INPUT",
    "LOGS_CAPTURED",
    "OBJECT_STORE_OPERATION",
    "RESOURCE_INIT_STARTED",
    "RESOURCE_INIT_SUCCESS",
    "STEP_EXPECTATION_RESULT",
    "STEP_INPUT",
    "STEP_OUTPUT",
    "STEP_WORKER_STARTED",
    "STEP_WORKER_STARTING",
)

_IS_DETAIL = f"(e.dagster_event_type IS NULL OR e.dagster_event_type IN ({', '.join(repr(kind) for kind in DETAILS)}))"
# Times are in UTC: seconds since 1970 in end_time, without a zone elsewhere. A run that never began has no end_time.
_IS_OLD_RUN = """
r.status IN ('SUCCESS', 'FAILURE', 'CANCELED')
AND coalesce(r.end_time, extract(epoch FROM r.update_timestamp)) < extract(epoch FROM now()) - 86400.0 * :days"""
# Of a data set that is still there: its partition exists, or it is the newest of an asset without partitions.
_COUNTS_STILL = f"""
EXISTS (
    SELECT FROM {DAGSTER_SCHEMA}.event_logs e
    WHERE e.run_id = r.run_id AND e.dagster_event_type = 'ASSET_MATERIALIZATION' AND (
        EXISTS (SELECT FROM {DAGSTER_SCHEMA}.dynamic_partitions p WHERE p.partition = e.partition)
        OR e.partition IS NULL AND EXISTS (
            SELECT FROM {DAGSTER_SCHEMA}.asset_keys a WHERE a.asset_key = e.asset_key AND a.last_run_id = r.run_id)))
OR EXISTS (SELECT FROM tip.dataset_requests q WHERE q.run_id = r.run_id)"""

_RUNS_WITH_DETAILS = f"""
SELECT r.run_id FROM {DAGSTER_SCHEMA}.runs r WHERE {_IS_OLD_RUN}
AND EXISTS (SELECT FROM {DAGSTER_SCHEMA}.event_logs e WHERE e.run_id = r.run_id AND {_IS_DETAIL}) ORDER BY r.id"""
_DETAILS_FOUND = f"""
SELECT count(*), coalesce(sum(pg_column_size(e.*)), 0)
FROM {DAGSTER_SCHEMA}.event_logs e WHERE e.run_id = ANY(:run_ids) AND {_IS_DETAIL}"""
_DELETE_DETAILS = f"""
WITH gone AS (
    DELETE FROM {DAGSTER_SCHEMA}.event_logs e WHERE e.run_id = ANY(:run_ids) AND {_IS_DETAIL}
    RETURNING pg_column_size(e.*) AS size)
SELECT count(*), coalesce(sum(size), 0) FROM gone"""

_OLD_RUNS = f"SELECT r.run_id FROM {DAGSTER_SCHEMA}.runs r WHERE {_IS_OLD_RUN} AND NOT ({_COUNTS_STILL}) ORDER BY r.id"
_RUNS_FOUND = f"""
SELECT cardinality(CAST(:run_ids AS text[])), (
    SELECT coalesce(sum(pg_column_size(r.*)), 0) FROM {DAGSTER_SCHEMA}.runs r WHERE r.run_id = ANY(:run_ids)) + (
    SELECT coalesce(sum(pg_column_size(e.*)), 0) FROM {DAGSTER_SCHEMA}.event_logs e WHERE e.run_id = ANY(:run_ids))"""
# Looked at once more while the run is locked; tags of runs go with them. One statement: all of it goes, or nothing.
_DELETE_RUNS = f"""
WITH chosen AS (
    SELECT r.run_id, pg_column_size(r.*) AS size FROM {DAGSTER_SCHEMA}.runs r
    WHERE r.run_id = ANY(:run_ids) AND {_IS_OLD_RUN} AND NOT ({_COUNTS_STILL}) FOR UPDATE OF r
), events AS (
    DELETE FROM {DAGSTER_SCHEMA}.event_logs e USING chosen WHERE e.run_id = chosen.run_id
    RETURNING e.id, pg_column_size(e.*) AS size
), event_tags AS (
    DELETE FROM {DAGSTER_SCHEMA}.asset_event_tags t USING events WHERE t.event_id = events.id
), checks AS (
    DELETE FROM {DAGSTER_SCHEMA}.asset_check_executions c USING chosen WHERE c.run_id = chosen.run_id
), runs AS (
    DELETE FROM {DAGSTER_SCHEMA}.runs r USING chosen WHERE r.run_id = chosen.run_id RETURNING chosen.size
)
SELECT (SELECT count(*) FROM runs),
    (SELECT coalesce(sum(size), 0) FROM runs) + (SELECT coalesce(sum(size), 0) FROM events)"""

_OLD_OBSERVATIONS = f"""
FROM {DAGSTER_SCHEMA}.event_logs e
WHERE e.dagster_event_type = 'ASSET_OBSERVATION'
AND e.timestamp < (now() AT TIME ZONE 'UTC') - make_interval(days => :days)
AND EXISTS (
    SELECT FROM {DAGSTER_SCHEMA}.event_logs newer WHERE newer.asset_key = e.asset_key
    AND newer.dagster_event_type = 'ASSET_OBSERVATION' AND newer.id > e.id)"""
_OBSERVATIONS_FOUND = f"SELECT count(*), coalesce(sum(pg_column_size(e.*)), 0) {_OLD_OBSERVATIONS}"
_DELETE_OBSERVATIONS = f"""
WITH chosen AS (SELECT e.id, pg_column_size(e.*) AS size {_OLD_OBSERVATIONS} ORDER BY e.id LIMIT {_ROWS_PER_BATCH}),
event_tags AS (DELETE FROM {DAGSTER_SCHEMA}.asset_event_tags t USING chosen WHERE t.event_id = chosen.id),
gone AS (DELETE FROM {DAGSTER_SCHEMA}.event_logs e USING chosen WHERE e.id = chosen.id RETURNING chosen.size)
SELECT count(*), coalesce(sum(size), 0) FROM gone"""

_OLD_TICKS = (
    f"FROM {DAGSTER_SCHEMA}.job_ticks t WHERE t.timestamp < (now() AT TIME ZONE 'UTC') - make_interval(days => :days)"
)
_TICKS_FOUND = f"SELECT count(*), coalesce(sum(pg_column_size(t.*)), 0) {_OLD_TICKS}"
_DELETE_TICKS = f"""
WITH chosen AS (SELECT t.id {_OLD_TICKS} ORDER BY t.id LIMIT {_ROWS_PER_BATCH}),
gone AS (
    DELETE FROM {DAGSTER_SCHEMA}.job_ticks t USING chosen WHERE t.id = chosen.id RETURNING pg_column_size(t.*) AS size)
SELECT count(*), coalesce(sum(size), 0) FROM gone"""


def dagster_chores(engine: Engine, retention: RetentionSettings) -> tuple[Chore, ...]:
    """What of Dagster's tables grows old; none where Dagster never ran on this database."""
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"{DAGSTER_SCHEMA}.job_ticks"}) is None:
            return ()

    def of_runs(name: str, unit: str, setting: str, choose: str, measure: str, remove: str) -> Chore:
        days = getattr(retention, setting)
        measured = partial(_by_runs, engine, choose, measure, days)
        removed = partial(_by_runs, engine, choose, remove, days)
        return Chore(name, unit, setting, days, lambda: sum(measured(), Amount()), removed)

    def of_rows(name: str, unit: str, setting: str, measure: str, remove: str) -> Chore:
        days = getattr(retention, setting)
        measured = partial(amount, engine, measure, {"days": days})
        return Chore(name, unit, setting, days, measured, partial(in_batches, engine, remove, {"days": days}))

    return (
        of_runs("old runs", "run", "runs_days", _OLD_RUNS, _RUNS_FOUND, _DELETE_RUNS),
        of_runs(
            "details of old runs", "event", "run_details_days", _RUNS_WITH_DETAILS, _DETAILS_FOUND, _DELETE_DETAILS
        ),
        of_rows("old observations", "event", "observations_days", _OBSERVATIONS_FOUND, _DELETE_OBSERVATIONS),
        of_rows("old ticks", "tick", "ticks_days", _TICKS_FOUND, _DELETE_TICKS),
    )


def runs_under_way(engine: Engine) -> frozenset[str]:
    """Ids of the runs that have not ended, and names of the partitions they work on."""
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"{DAGSTER_SCHEMA}.runs"}) is None:
            return frozenset()
        rows = connection.execute(
            text(
                f"SELECT run_id, partition FROM {DAGSTER_SCHEMA}.runs "
                "WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')"
            )
        )
        return frozenset(value for row in rows for value in row if value)


def amount(engine: Engine, statement: str, values: Mapping[str, Any]) -> Amount:
    """What a statement counts or removes, in a transaction of its own: rows and bytes."""
    with engine.begin() as connection:
        count, size = connection.execute(text(statement), values).one()
        return Amount(int(count), int(size))


def in_batches(engine: Engine, remove: str, values: Mapping[str, Any]) -> Iterator[Amount]:
    """Repeats a statement that removes a bounded number of rows until it finds none."""
    while (done := amount(engine, remove, values)).count:
        yield done


def _by_runs(engine: Engine, choose: str, statement: str, days: int) -> Iterator[Amount]:
    """A statement for the runs that `choose` gives, some at a time: so each is found by its index, whatever the
    server's statistics say of these tables."""
    with engine.connect() as connection:
        run_ids = list(connection.scalars(text(choose), {"days": days}))
    for start in range(0, len(run_ids), _RUNS_PER_BATCH):
        yield amount(engine, statement, {"run_ids": run_ids[start : start + _RUNS_PER_BATCH], "days": days})
