"""Results of asset checks in Dagster's tables, which Dagster leaves behind when a run is deleted."""

from sqlalchemy import Engine, text

from tip_resources.database.schema import DAGSTER_SCHEMA

_FORGET = text(f"DELETE FROM {DAGSTER_SCHEMA}.asset_check_executions WHERE run_id = :run_id")


def forget_check_results(engine: Engine, run_id: str) -> None:
    """Removes what the checks of a run found."""
    with engine.begin() as connection:
        connection.execute(_FORGET, {"run_id": run_id})
