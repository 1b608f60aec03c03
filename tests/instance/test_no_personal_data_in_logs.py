"""Nothing that is known of the people of a set is in what Dagster and tip write down about making it."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from sqlalchemy import Engine, inspect, text

from tip_assets.definitions import build_definitions
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.planning.plan_sets import read_plans
from tip_assets.platform import Platform
from tip_resources.database.schema import SCHEMA
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.storage.layout import Layout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DATASET = "clinic"
COUNT = 8
# Sets and checkpoint parts are the data itself: original text, for the house alone.
DATA = ("data/sets/", "data/parts/")
# Shorter forms ("four two") stand in any text by chance.
SHORTEST = 9
SHORTEST_NAME = 5


def test_no_planted_fact_is_in_event_log_run_storage_compute_logs_tip_files_or_exports(
    tmp_path: Path, fresh_database: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    home, storage = tmp_path / "home", tmp_path / "dagster"
    make_set(home, storage)
    printed = capfd.readouterr()
    compute_logs = [path for path in storage.rglob("*") if path.suffix in (".out", ".err")]
    texts = [printed.out, printed.err, *_files(storage), *_files(home / ".tip"), *_rows(fresh_database)]
    everything = "\n".join(texts)
    # What is searched holds what it should: events, run tags, the report, compute logs, rows of the database.
    for known in ("ASSET_MATERIALIZATION", "<html", "spans_by_type", "asked_by", DATASET):
        assert known in everything, known
    assert compute_logs
    facts = forms_of_the_people(home)
    assert len(facts) > 20 * COUNT
    assert sorted(kind for kind, form in facts if form in everything) == []
    # The same search finds them where they are: in the original text.
    raw = pl.read_parquet(str(Layout("", home).set_file("raw_conversations", DATASET)))
    original = "\n".join(turn["text"] for turns in raw["turns"] for turn in turns)
    assert any(form in original for _, form in facts)


def make_set(home: Path, storage: Path) -> None:
    """A small set, written by the rehearsal server and materialised on an instance that keeps everything."""
    home.mkdir()
    storage.mkdir()
    spec = DatasetSpec(
        name=DATASET, count=COUNT, domain="healthcare", query="calls about bills", rehearsal=True, seed=3
    )
    Platform(home=str(home)).requests().add(spec, source="cli")
    with dg.DagsterInstance.local_temp(str(storage)) as instance:
        instance.add_dynamic_partitions(DATASET_PARTITIONS, [DATASET])
        definitions = build_definitions({"platform": Platform(home=str(home))})
        result = definitions.resolve_job_def("make_dataset").execute_in_process(
            instance=instance, partition_key=DATASET, tags={"asked_by": "a test"}
        )
        assert result.success


def forms_of_the_people(home: Path) -> set[tuple[str, str]]:
    """(type, form) of every fact of the plan: as written, as spoken, and without its signs, where long enough."""
    layout = Layout("", home)
    frames = [pl.scan_parquet(str(layout.set_file(name, DATASET))) for name in ("scenarios", "personas")]
    found: set[tuple[str, str]] = set()
    for plan in read_plans(frames[0], frames[1]):
        for fact in plan.facts:
            forms = {fact.value, *fact.spoken, re.sub(r"[^\w@.]", "", fact.value)}
            least = SHORTEST_NAME if fact.type == "NAME" else SHORTEST
            found |= {(fact.type, form) for form in forms if len(form) >= least}
    return found


def _files(folder: Path) -> Iterator[str]:
    """The text of every file; of databases, every value of every row."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if not path.is_file() or relative.startswith(DATA):
            continue
        head = path.open("rb").read(16)
        if head.startswith(b"SQLite format 3"):
            yield from _sqlite_rows(path)
        else:
            yield path.read_bytes().decode("utf-8", "replace")


def _sqlite_rows(path: Path) -> Iterator[str]:
    connection = sqlite3.connect(path)
    try:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield " ".join(
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in row
                )
    finally:
        connection.close()


def _rows(database: Engine) -> Iterator[str]:
    with database.connect() as connection:
        for table in inspect(connection).get_table_names(schema=SCHEMA):
            for row in connection.execute(text(f'SELECT * FROM "{SCHEMA}"."{table}"')):
                yield " ".join(str(value) for value in row)
