"""Dagster's own storage on tip's database, so that `dagster dev` and friends work without `tip`.

In dagster.yaml: `storage: {custom: {module: tip_resources.database.dagster_storage, class: TipStorage, config: {}}}`.
Where compute logs and artifacts go is in instance_folders.py.
"""

from pathlib import Path
from typing import Any

from dagster import Field, Noneable, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.auth import PgTokenProvider
from dagster_postgres.utils import create_pg_engine
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from tip_resources.database import embedded
from tip_resources.database.connection import (
    POOL,
    dagster_engine,
    database,
    database_url,
    is_embedded,
    new_engine,
)
from tip_resources.database.full_disk import wait_while_disk_is_full
from tip_resources.database.migrate import create_schema, explaining_refusals
from tip_resources.database.run_storage import TipRunStorage
from tip_resources.database.schema import DAGSTER_SCHEMA, DAGSTER_TABLES_LOCK
from tip_resources.database.trouble import unusable
from tip_resources.home import project_home

# For tests and for several projects in one process; a project needs none of it.
HOME_FIELD = {"home": Field(Noneable(StringSource), is_required=False, default_value=None)}

# Written as the comment of the schema once all tables are there: Dagster makes them one by one, and a process killed
# in between would leave a storage that looks complete to the next.
_COMPLETE = "tip: the tables of Dagster are complete"


class TipStorage(DagsterPostgresStorage):
    """DagsterPostgresStorage in schema `tip_dagster` of the database that `database_url` finds or starts."""

    def __init__(self, home: str | None = None, inst_data: ConfigurableClassData | None = None) -> None:
        folder = Path(home).resolve() if home else project_home()
        engine = database(folder)  # also migrates tip's own tables
        url = _in_dagster_schema(database_url(folder))
        token_provider = _EmbeddedServer(folder) if is_embedded() else None
        if token_provider is None:
            _check_search_path(url)
        super().__init__(
            postgres_url=url, should_autocreate_tables=False, inst_data=inst_data, token_provider=token_provider
        )
        self._run_storage = TipRunStorage(url, should_autocreate_tables=False, token_provider=token_provider)
        self._share_connections(dagster_engine(folder, lambda: _pooled(url, token_provider)))
        with engine.connect() as connection:
            complete = connection.scalar(text("SELECT obj_description(to_regnamespace(:s))"), {"s": DAGSTER_SCHEMA})
            if complete == _COMPLETE:
                return
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": DAGSTER_TABLES_LOCK})
            try:
                create_schema(connection, DAGSTER_SCHEMA)
                connection.commit()
                with explaining_refusals(connection, DAGSTER_SCHEMA):
                    self._make_tables()
                    connection.execute(text(f"COMMENT ON SCHEMA {DAGSTER_SCHEMA} IS '{_COMPLETE}'"))
                connection.commit()
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": DAGSTER_TABLES_LOCK})
                connection.commit()

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing has to be configured."""
        return HOME_FIELD

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "TipStorage":
        """Called by Dagster in every process that opens the instance."""
        return cls(home=config_value.get("home"), inst_data=inst_data)

    def _share_connections(self, engine: Engine) -> None:
        """Dagster connects anew for every query: some 120 times in a step, and 3 ms of CPU each."""
        self._event_log_storage._engine = engine
        self._run_storage._engine = engine
        self._schedule_storage._engine = engine

    def _make_tables(self) -> None:
        """What the three storages do on an empty database, each step repeatable."""
        events, runs, schedules = self._event_log_storage, self._run_storage, self._schedule_storage
        events._init_db()
        events.reindex_events()
        events.reindex_assets()
        runs._init_db()
        runs.migrate()
        runs.optimize()
        schedules._init_db()


def _pooled(url: str, token_provider: PgTokenProvider | None) -> Engine:
    """Connections as Dagster's storages make them, of which a few are kept."""
    engine = create_pg_engine(url, token_provider, isolation_level="AUTOCOMMIT", max_overflow=-1, **POOL)
    wait_while_disk_is_full(engine)
    return engine


class _EmbeddedServer(PgTokenProvider):
    """Asked for a password before each of Dagster's connections; starts the embedded server again when it is gone."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._home = home

    def get_token(self) -> str:
        if embedded.status(self._home).state != "running":
            embedded.start(self._home)
        return make_url(database_url(self._home)).password or ""

    def _fetch_token(self) -> tuple[str, float]:
        raise NotImplementedError("get_token does not cache")


def _check_search_path(url: str) -> None:
    """Dagster's table names carry no schema: whatever they are looked up in must be ours, before any is used.

    Raises:
        BadInput: Something between us and the server refuses or drops what we ask for when we connect.
    """
    engine = new_engine(make_url(url))
    try:
        with engine.connect() as connection:
            found = str(connection.scalar(text("SHOW search_path")))
    finally:
        engine.dispose()
    if found.strip('"') != DAGSTER_SCHEMA:
        raise unusable(engine.url, f"our startup parameter options was dropped: tables are looked up in {found}.")


def _in_dagster_schema(url: str) -> str:
    """The URL with Dagster's schema as the only one its unqualified table names are looked up in."""
    parsed = make_url(url)
    given = parsed.query.get("options", "")
    options = " ".join([*([given] if isinstance(given, str) else given), f"-csearch_path={DAGSTER_SCHEMA}"]).strip()
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)
