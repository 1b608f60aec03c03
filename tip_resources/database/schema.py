"""Names of our schemas and the newest migration; kept apart so that a start can check them without alembic."""

SCHEMA = "tip"
# Dagster's tables (runs, jobs, alembic_version ...) stay out of `public`, where the user's may have the same names.
DAGSTER_SCHEMA = "tip_dagster"
HEAD_REVISION = "0007"

# Keys of pg_advisory_lock, one per kind of work that only one process may do at a time. Any fixed number would do.
MIGRATION_LOCK = 7_204_118_001
SETTINGS_LOCK = 7_204_118_002
DAGSTER_TABLES_LOCK = 7_204_118_003
FLEET_WATCH_LOCK = 7_204_118_004
