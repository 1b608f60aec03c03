from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from tests.embedded import empty_database, in_database, run_sql
from tip_resources.database import audit
from tip_resources.database import migrate as migrate_module
from tip_resources.database.migrate import migrate
from tip_resources.database.schema import HEAD_REVISION
from tip_resources.database.tables import metadata
from tip_resources.domain.failures import BadInput

TABLES = {
    "alembic_version",
    "audit_log",
    "conversations",
    "dataset_requests",
    "endpoint_leases",
    "endpoint_limits",
    "endpoints",
    "fleet_gate",
    "found_nodes",
    "models",
    "node_orders",
    "node_quarters",
    "node_reports",
    "node_work",
    "nodes",
    "performance_samples",
    "quality_scores",
    "settings_versions",
    "step_leases",
}


@pytest.fixture
def bare(server_url: str):
    """An engine on a database that tip has never seen."""
    with empty_database(server_url) as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def stranger(server_url: str):
    """A database user with no rights beyond logging in."""
    run_sql(server_url, "CREATE ROLE stranger LOGIN")
    yield "stranger"
    run_sql(server_url, "DROP ROLE stranger")


def test_the_constant_names_the_newest_revision():
    folder = Path(migrate_module.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD_REVISION]


def test_an_empty_database_gets_all_tables_and_they_are_those_of_the_code(bare: Engine):
    migrate(bare)
    assert set(inspect(bare).get_table_names(schema="tip")) == TABLES
    with bare.connect() as connection:
        options = {
            "include_schemas": True,
            "version_table_schema": "tip",
            "include_name": lambda name, kind, _: name == "tip" if kind == "schema" else True,
            "compare_server_default": True,
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_migrating_again_changes_nothing_and_needs_no_alembic(bare: Engine, monkeypatch: pytest.MonkeyPatch):
    migrate(bare)
    monkeypatch.setattr(migrate_module, "_run_alembic", None)
    migrate(bare)


def test_down_removes_all_of_ours_and_up_makes_it_again(bare: Engine):
    migrate(bare)
    migrate(bare, "base")
    assert set(inspect(bare).get_table_names(schema="tip")) == {"alembic_version"}
    migrate(bare)
    assert set(inspect(bare).get_table_names(schema="tip")) == TABLES


def test_many_who_migrate_at_once_all_end_well(bare: Engine):
    engines = [create_engine(bare.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate, engine) for engine in engines]:
            done.result()
    for engine in engines:
        engine.dispose()
    assert set(inspect(bare).get_table_names(schema="tip")) == TABLES


def test_tables_of_the_same_names_in_the_users_schema_are_left_alone(bare: Engine):
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE nodes (mine integer); CREATE TABLE alembic_version (version_num text)"))
        connection.execute(text("INSERT INTO nodes VALUES (7); INSERT INTO alembic_version VALUES ('theirs')"))
    migrate(bare)
    with bare.connect() as connection:
        assert connection.scalar(text("SELECT mine FROM public.nodes")) == 7
        assert connection.scalar(text("SELECT version_num FROM public.alembic_version")) == "theirs"


def test_a_database_of_a_newer_tip_is_refused(bare: Engine):
    migrate(bare)
    with bare.begin() as connection:
        connection.execute(text("UPDATE tip.alembic_version SET version_num = '9999'"))
    with pytest.raises(BadInput, match=r"'9999', which this tip does not know.* newer tip"):
        migrate(bare)


def test_an_unknown_revision_to_go_to_is_refused(bare: Engine):
    with pytest.raises(BadInput, match=r"no revision '0815'.*There are: base, 0001, 0002, .*, 0006, 0007"):
        migrate(bare, "0815")


def test_without_the_right_to_create_a_schema_the_sql_that_mends_it_is_said(bare: Engine, stranger: str):
    engine = create_engine(in_database(bare.url.render_as_string(False), bare.url.database or "", user=stranger))
    with pytest.raises(BadInput, match=r"may not create the schema 'tip'.*GRANT CREATE ON DATABASE"):
        migrate(engine)
    engine.dispose()


def test_a_schema_that_belongs_to_another_user_is_explained(bare: Engine, stranger: str):
    migrate(bare)
    engine = create_engine(in_database(bare.url.render_as_string(False), bare.url.database or "", user=stranger))
    with pytest.raises(BadInput, match=r"'stranger' lacks rights in the schema 'tip': .*denied.*ALTER SCHEMA"):
        migrate(engine)
    engine.dispose()


def test_the_table_of_embeddings_that_older_versions_made_goes_and_delivered_calls_stay(bare: Engine):
    migrate(bare, "0006")
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE tip.embeddings (conversation uuid REFERENCES tip.conversations)"))
        connection.execute(
            text("INSERT INTO tip.conversations (dataset, conversation_id, band_keys) VALUES ('d', 'c1', '{1,2}')")
        )
    migrate(bare)
    assert set(inspect(bare).get_table_names(schema="tip")) == TABLES
    with bare.connect() as connection:
        assert connection.scalar(text("SELECT band_keys FROM tip.conversations")) == [1, 2]


@pytest.mark.parametrize(
    "change", ["UPDATE tip.audit_log SET actor = 'x'", "DELETE FROM tip.audit_log", "TRUNCATE tip.audit_log"]
)
def test_the_audit_log_refuses_every_change(fresh_database: Engine, change: str):
    audit.append(fresh_database, "ann", "settings.changed", "quality.minimum_score", {"value": 0.9})
    with pytest.raises(DBAPIError, match="append-only"), fresh_database.begin() as connection:
        connection.execute(text(change))
    (entry,) = audit.recent(fresh_database)
    assert (entry.actor, entry.action, entry.detail) == ("ann", "settings.changed", {"value": 0.9})


def test_an_audit_entry_goes_with_its_transaction(fresh_database: Engine):
    with fresh_database.connect() as connection:
        audit.append(connection, "ann", "nothing.happened", "x")
        connection.rollback()
    assert audit.recent(fresh_database) == []
