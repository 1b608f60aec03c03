"""Copies the rows of tip's and Dagster's tables to files and back, by COPY, as streams.

Rows only: the tables themselves are made by the migrations and by Dagster. So a copy does not depend on the version
of PostgreSQL, nor on its programs, and works the same on any server.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import IO, Any, Protocol

from sqlalchemy import Engine

from tip_resources.database.schema import DAGSTER_SCHEMA, SCHEMA
from tip_resources.domain.failures import BadInput
from tip_resources.upkeep.backup_manifest import CHUNK_BYTES, DATABASE, SequenceValue, TableCopy

SCHEMAS = (SCHEMA, DAGSTER_SCHEMA)
# Which revision the tables are of, and which of Dagster's one-time jobs were done on them: whoever makes the tables
# anew writes these, too.
_OF_THE_TABLES = frozenset({"alembic_version", "secondary_indexes"})

_TABLES = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = ANY(%s) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY 1, 2 ORDER BY 1, 2"""
# Older versions made it where pgvector was, no version ever wrote it, and revision 0007 drops it.
_NEVER_USED = (SCHEMA, "embeddings")
_REFERENCES = """
SELECT n.nspname, c.relname, rn.nspname, rc.relname FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class rc ON rc.oid = k.confrelid JOIN pg_namespace rn ON rn.oid = rc.relnamespace
WHERE k.contype = 'f' AND n.nspname = ANY(%s) AND k.conrelid <> k.confrelid"""
_SEQUENCES = """
SELECT schemaname, sequencename, last_value FROM pg_sequences
WHERE schemaname = ANY(%s) AND last_value IS NOT NULL ORDER BY 1, 2"""

Columns = Mapping[tuple[str, str], Sequence[str]]


class _Cursor(Protocol):
    """What is used of psycopg2's cursor."""

    rowcount: int

    def execute(self, query: str, vars: Any = None, /) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def fetchone(self) -> Any: ...
    def copy_expert(self, sql: str, file: Any, size: int = ..., /) -> Any: ...


@contextmanager
def one_moment(engine: Engine) -> Iterator[_Cursor]:
    """A cursor that sees the database as it is when the block begins, whatever is written meanwhile."""
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        driver.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with driver.cursor() as cursor:
            yield cursor
    finally:
        driver.rollback()
        driver.set_session(isolation_level="DEFAULT", readonly="DEFAULT")
        connection.close()


def columns_of(cursor: _Cursor) -> Columns:
    """The tables of both schemas with the columns that hold data, by schema and name."""
    cursor.execute(_TABLES, (list(SCHEMAS),))
    return {(schema, name): tuple(columns) for schema, name, columns in cursor.fetchall()}


def revision_of(cursor: _Cursor, schema: str) -> str:
    """The revision of a schema's tables; "" where it has none."""
    cursor.execute("SELECT to_regclass(%s)", (f"{schema}.alembic_version",))
    if cursor.fetchone()[0] is None:
        return ""
    cursor.execute(f"SELECT version_num FROM {schema}.alembic_version")
    row = cursor.fetchone()
    return row[0] if row else ""


def sequences_of(cursor: _Cursor) -> tuple[SequenceValue, ...]:
    """What every sequence gave last. Read after the rows, so that no row has a higher number."""
    cursor.execute(_SEQUENCES, (list(SCHEMAS),))
    return tuple(SequenceValue(*row) for row in cursor.fetchall())


def copy_out(cursor: _Cursor, folder: Path, on_bytes: Callable[[int], None]) -> tuple[TableCopy, ...]:
    """Writes the rows of every table to a file of its own below `folder`, as of the moment of the cursor."""
    (folder / DATABASE).mkdir()
    copies = []
    for (schema, name), columns in columns_of(cursor).items():
        if name in _OF_THE_TABLES:
            continue
        file = folder / DATABASE / f"{schema}.{name}.gz"
        with file.open("xb") as raw:
            hashed = _Hashed(raw)
            with gzip.GzipFile(fileobj=hashed, mode="wb", compresslevel=1, mtime=0) as packed:
                cursor.copy_expert(f"COPY {_table(schema, name)} ({_quoted(columns)}) TO STDOUT", packed, CHUNK_BYTES)
        copies.append(
            TableCopy(
                schema=schema,
                name=name,
                columns=tuple(columns),
                rows=cursor.rowcount,
                file=f"{DATABASE}/{file.name}",
                bytes=hashed.count,
                sha256=hashed.digest.hexdigest(),
            )
        )
        on_bytes(hashed.count)
    return tuple(copies)


def copy_in(
    engine: Engine, folder: Path, schema: str, tables: Sequence[TableCopy], on_bytes: Callable[[int], None]
) -> None:
    """Fills the empty tables of one schema in one transaction.

    Raises:
        BadInput: A table with rows, or a column of one, is not there.
    """
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        with driver.cursor() as cursor:
            there = columns_of(cursor)
            for table in _in_order(cursor, [table for table in tables if table.schema == schema]):
                is_used = (table.schema, table.name) != _NEVER_USED
                if is_used and _fits(table, there):
                    copying = f"COPY {_table(schema, table.name)} ({_quoted(table.columns)}) FROM STDIN"
                    with gzip.open(folder / table.file) as packed:
                        cursor.copy_expert(copying, packed, CHUNK_BYTES)
                on_bytes(table.bytes)
        driver.commit()
    finally:
        driver.rollback()
        connection.close()


def set_sequences(engine: Engine, sequences: Sequence[SequenceValue]) -> None:
    """Lets every sequence that is there go on after the number it gave last."""
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        with driver.cursor() as cursor:
            for one in sequences:
                name = _table(one.schema, one.name)
                there = "SELECT setval(to_regclass(%s), %s) WHERE to_regclass(%s) IS NOT NULL"
                cursor.execute(there, (name, one.value, name))
        driver.commit()
    finally:
        driver.rollback()
        connection.close()


def _fits(table: TableCopy, there: Columns) -> bool:
    """Whether there is something to copy, all of which the table can take.

    Raises:
        BadInput: It lacks columns that the rows have.
    """
    lacking = set(table.columns) - set(there.get((table.schema, table.name), ()))
    if lacking and table.rows:
        raise BadInput(
            f"the table {table.schema}.{table.name} cannot take {', '.join(sorted(lacking))} of the backup.",
            where="database",
            mend="Restore with the versions of tip and Dagster that the backup names, and upgrade afterwards.",
        )
    return table.rows > 0


def _in_order(cursor: _Cursor, tables: Sequence[TableCopy]) -> list[TableCopy]:
    """Those first that others refer to."""
    by_name = {(table.schema, table.name): table for table in tables}
    cursor.execute(_REFERENCES, (list(SCHEMAS),))
    before: dict[tuple[str, str], set[tuple[str, str]]] = {name: set() for name in by_name}
    for schema, name, other_schema, other in cursor.fetchall():
        before.setdefault((schema, name), set()).add((other_schema, other))
    return [by_name[name] for name in TopologicalSorter(before).static_order() if name in by_name]


def _table(schema: str, name: str) -> str:
    return f'"{schema}"."{name}"'


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


class _Hashed:
    """A file for writing whose checksum is kept as it grows."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.count = 0

    def write(self, data: bytes) -> int:
        """Writes and takes into account."""
        self.digest.update(data)
        self.count += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Hands everything to the system."""
        self._file.flush()
