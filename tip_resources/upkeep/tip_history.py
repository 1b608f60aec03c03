"""What of tip's own tables is forgotten: figures of machines and of the engine's speed.

Requests, settings with their history, the audit log, grades and the index of delivered calls are kept for ever.
"""

from functools import partial

from sqlalchemy import Engine

from tip_resources.settings.upkeep_models import RetentionSettings
from tip_resources.upkeep.chores import Chore
from tip_resources.upkeep.dagster_history import amount, in_batches

_ROWS_PER_BATCH = 5_000
# Name, table, its column of time, setting.
_TABLES = (
    ("quarter hours of machines", "tip.node_quarters", "quarter_at", "node_history_days"),
    ("hours of machines' work", "tip.node_work", "hour_at", "node_history_days"),
    ("samples of speed", "tip.performance_samples", "timestamp", "performance_days"),
)


def tip_chores(engine: Engine, retention: RetentionSettings) -> tuple[Chore, ...]:
    """What of our tables grows old."""
    chores = []
    for name, table, column, setting in _TABLES:
        days = getattr(retention, setting)
        is_old = f'FROM {table} t WHERE t."{column}" < now() - make_interval(days => {int(days)})'
        found = f"SELECT count(*), coalesce(sum(pg_column_size(t.*)), 0) {is_old}"
        remove = f"""
        WITH chosen AS (SELECT t.ctid AS place {is_old} LIMIT {_ROWS_PER_BATCH}),
        gone AS (DELETE FROM {table} t USING chosen WHERE t.ctid = place RETURNING pg_column_size(t.*) AS size)
        SELECT count(*), coalesce(sum(size), 0) FROM gone"""
        measured, removed = partial(amount, engine, found, {}), partial(in_batches, engine, remove, {})
        chores.append(Chore(name, "row", setting, days, measured, removed))
    return tuple(chores)
