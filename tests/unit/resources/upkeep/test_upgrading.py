"""What an earlier tip left behind is taken over; what a later one did, or another PostgreSQL, is refused in words."""

import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, create_engine, text

from tests.embedded import empty_database, temporary_home
from tip_assets.cli.console import EXIT_FAILED
from tip_assets.cli.main import main
from tip_resources.database import audit, embedded
from tip_resources.database.connection import URL_VARIABLE, close, database
from tip_resources.database.requests import RequestStore
from tip_resources.database.schema import HEAD_REVISION
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.settings.layers import load_settings
from tip_resources.settings.models import Settings
from tip_resources.settings.store import SettingsStore
from tip_resources.upkeep.backup import back_up
from tip_resources.upkeep.restore import restore

OLDER_HOME = Path(__file__).with_name("home_at_0003.sql")


@pytest.fixture
def older(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine on a database as tip left it at revision 0003; it is tip's while the test runs."""
    with empty_database(server_url) as url:
        engine = create_engine(url)
        with engine.begin() as connection:  # by the driver: the file holds signs that SQLAlchemy takes for parameters
            connection.connection.cursor().execute(OLDER_HOME.read_text(encoding="utf-8"))
        monkeypatch.setenv(URL_VARIABLE, url)
        yield engine
        close()
        engine.dispose()


def check_that_nothing_was_lost(home: Path) -> None:
    engine = database(home)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM tip.alembic_version")) == HEAD_REVISION
        for table in ("nodes", "endpoints", "conversations", "quality_scores", "performance_samples"):
            assert connection.scalar(text(f"SELECT count(*) FROM tip.{table}")) == 1, table
    request = RequestStore(engine).get("clinic")
    assert request is not None and (request.spec.count, request.state) == (3, "done")
    assert load_settings(home).quality.minimum_score == 0.8
    assert [one.author for one in SettingsStore(engine).history("quality.minimum_score")] == ["bob", "ann", "ann"]
    assert ("ann", "dataset.requested") in {(entry.actor, entry.action) for entry in audit.recent(engine)}
    with SettingsStore(engine).changing() as connection:
        connection.execute(
            text("INSERT INTO tip.settings_versions (key, value, author) VALUES ('debug', 'true', 'eve')")
        )
    assert SettingsStore(engine).newest_version() == 4, "numbers go on where they were"


def test_a_database_of_an_earlier_tip_is_brought_up_to_date_and_loses_nothing(older: Engine, tmp_path: Path) -> None:
    check_that_nothing_was_lost(tmp_path)


def test_a_backup_of_an_earlier_tip_is_restored_and_brought_up_to_date(
    older: Engine, server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = back_up(older, tmp_path / "old", Settings(), tmp_path / "backup", lambda _: None)
    assert (manifest.tip_revision, manifest.dagster_revision) == ("0003", "")
    home = tmp_path / "new"
    home.mkdir()
    with empty_database(server_url) as url:
        monkeypatch.setenv(URL_VARIABLE, url)
        restore(home, tmp_path / "backup", lambda _: None)
        check_that_nothing_was_lost(home)
        close(home)


@pytest.mark.slow
def test_the_commands_that_data_of_another_postgresql_asks_for_bring_everything_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    with temporary_home() as folder:
        home = folder / "my calls"
        home.mkdir(mode=0o755)
        monkeypatch.setenv("TIP_HOME", str(home))
        RequestStore(database(home)).add(
            DatasetSpec(name="clinic", count=3, domain="healthcare", query="q"), source="cli"
        )
        written_with(home, "17")
        refused = tip("list")
        assert refused.exit_code == EXIT_FAILED
        assert f"With tip {version('transcript-intelligence-platform')}, which wrote it: `tip backup" in refused.output
        backup, bring_back = re.findall(r"`tip ([^`]+)`", refused.output)
        doctor = tip("doctor").output
        assert "of PostgreSQL 17" in doctor and bring_back in doctor

        written_with(home, "18")  # which that tip finds there
        done = tip(*shlex.split(backup))
        assert done.exit_code == 0, done.output
        written_with(home, "17")  # as this one finds it
        done = tip(*shlex.split(bring_back))
        assert done.exit_code == 0, done.output
        assert "clinic" in tip("list").output
        (aside,) = home.glob(".tip.before-*")
        assert (aside / "pg" / "PG_VERSION").read_text() == "17"
        close(home)
        embedded.stop(home)


def written_with(home: Path, postgresql: str) -> None:
    """Data of a major version, as far as a tip of another one looks at it."""
    close(home)
    (home / ".tip" / "pg" / "PG_VERSION").write_text("18")
    embedded.stop(home)
    (home / ".tip" / "pg" / "PG_VERSION").write_text(postgresql)


def tip(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize("major", ["17", "19"])
def test_data_of_another_postgresql_is_not_touched_and_the_way_is_said(tmp_path: Path, major: str) -> None:
    pgdata = tmp_path / ".tip" / "pg"
    pgdata.mkdir(parents=True)
    (pgdata / "PG_VERSION").write_text(f"{major}\n")
    words = (
        rf"of PostgreSQL {major}, and this tip comes with 18; nothing was changed.*tip backup.*tip restore .*replace"
    )
    with pytest.raises(BadInput, match=words):
        embedded.start(tmp_path)
    assert [path.name for path in (tmp_path / ".tip").rglob("*")] == ["pg", "PG_VERSION"]
