"""A project folder of its own for a measurement, and what lies in it afterwards: rows, bytes, files."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import msgspec
from sqlalchemy import Engine, text

from tip_resources.database import embedded
from tip_resources.database.connection import URL_VARIABLE, close
from tip_resources.home import HOME_VARIABLE

ROOT = Path(__file__).resolve().parents[2]


class OnDisk(msgspec.Struct, frozen=True):
    """Files under a folder and the bytes in them (not the blocks they take)."""

    files: int
    bytes: int


class InDatabase(msgspec.Struct, frozen=True):
    """Rows and bytes; a table's bytes count its indexes and long values."""

    database_bytes: int
    event_rows: int
    event_bytes: int
    index_rows: int
    index_bytes: int


@contextmanager
def temporary_home(keep: Path | None = None) -> Iterator[Path]:
    """A project folder with our dagster.yaml and an embedded PostgreSQL; deleted at the end, unless it is `keep`."""
    home = (keep or Path(tempfile.mkdtemp(prefix="tip-scale-"))).resolve()
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)  # the account that runs PostgreSQL for root must get in
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, home)
    os.environ.pop(URL_VARIABLE, None)
    os.environ |= {HOME_VARIABLE: str(home), "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    try:
        yield home
    finally:
        close(home)
        embedded.stop(home)
        if keep is None:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def instance_of(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance that the home's dagster.yaml describes."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def on_disk(folder: Path) -> OnDisk:
    """What lies under `folder`; nothing where there is no such folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return OnDisk(len(sizes), sum(sizes))


def in_database(engine: Engine) -> InDatabase:
    """The database as it is now, after its dead rows were cleared away."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        row = connection.execute(
            text(
                "SELECT pg_database_size(current_database()),"
                " (SELECT count(*) FROM tip_dagster.event_logs), pg_total_relation_size('tip_dagster.event_logs'),"
                " (SELECT count(*) FROM tip.conversations), pg_total_relation_size('tip.conversations')"
            )
        ).one()
    return InDatabase(*row)
