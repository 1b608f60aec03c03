"""The delivered calls of all data sets, by what finds their duplicates: has this been delivered before, and where?

Sketches come in and go out; comparing them is tip_assets/quality/duplicates' work.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    any_,
    bindparam,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from tip_resources.database.schema import SCHEMA
from tip_resources.database.tables import conversations
from tip_resources.domain.sketch import CallSketch

_BATCH = 5_000
# Sketches one query looks up; a larger one holds its snapshot for longer and is no faster.
_LOOKUP_BATCH = 200
# Calls told for one sketch: those it shares most keys with, and of many keys (about 40 are usual) more than one.
_MOST_CANDIDATES = 10
_MANY_KEYS = 20
# Keys kept of a call; it is looked up by all it has. With 24 the originals of edited copies are among the candidates as
# often as with 68, those of paraphrases hardly less (docs/duplicates.md), and the index has a third of the size.
_KEYS_OF_A_CALL = 24
# A key is kept of so many calls at most. What every agent says ("thank you for calling ...") tells no two calls apart,
# and PostgreSQL reads the whole list of a key: 2 ms for one that 20,000 calls had.
_MOST_OF_A_KEY = 50
# Counts of keys within one set are kept by their low bits, in 4 MB.
_COUNT_BITS = 22

# Two who replace the same data set go one after the other.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('tip.conversations/' || :dataset, 0))")
# The planner guesses that arrays overlap far more often than keys of 64 bits do, and would read the whole table.
_BY_INDEX = text("SET LOCAL enable_seqscan = off")
# New keys wait in a list and are sorted in all at once, so that a page of the index is read and written once a set and
# not once a key. Looking up reads what waits from end to end, so it is sorted in before the transaction ends. Only the
# index's owner may; for another role PostgreSQL sorts in by itself, later.
_SORT_IN = text(f"""
SELECT gin_clean_pending_list(oid) FROM pg_class
WHERE oid = '{SCHEMA}.conversations_by_band_keys'::regclass AND pg_has_role(relowner, 'USAGE')
""")

_BY_BANDS = text(f"""
SELECT wanted.number, found.conversation_id, found.dataset, found.exact_fingerprint, found.normalized_fingerprint,
       found.band_keys, found.sketch
FROM unnest(CAST(:keys AS text[])) WITH ORDINALITY AS wanted (keys, number)
CROSS JOIN LATERAL (
    SELECT sharing.id, count(*) AS shared
    FROM unnest(wanted.keys::bigint[]) AS key
    CROSS JOIN LATERAL (
        SELECT candidate.id FROM {SCHEMA}.conversations AS candidate
        WHERE candidate.band_keys @> ARRAY[key]
          AND candidate.sketch_version = :version AND candidate.dataset <> :dataset
        LIMIT :most_of_a_key
    ) AS sharing
    GROUP BY sharing.id
    HAVING count(*) > 1 OR cardinality(wanted.keys::bigint[]) < :many
    ORDER BY shared DESC, sharing.id
    LIMIT :most
) AS best
JOIN {SCHEMA}.conversations AS found ON found.id = best.id
ORDER BY wanted.number, best.shared DESC, found.dataset, found.conversation_id
""")

_CALLS_WITH_KEYS = text(f"""
SELECT key, counted.calls
FROM unnest(CAST(:keys AS bigint[])) AS key
CROSS JOIN LATERAL (
    SELECT count(*) AS calls FROM (
        SELECT 1 FROM {SCHEMA}.conversations WHERE band_keys @> ARRAY[key] AND dataset <> :dataset LIMIT :most
    ) AS among
) AS counted
WHERE counted.calls > 0
""")

_FORGET = text(f"""
DELETE FROM {SCHEMA}.conversations AS old
WHERE old.dataset = :dataset AND old.normalized_fingerprint IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM incoming WHERE incoming.conversation_id = old.conversation_id)
""")
_TAKE_OVER = text(f"""
INSERT INTO {SCHEMA}.conversations AS old
    (dataset, domain, conversation_id, exact_fingerprint, normalized_fingerprint, band_keys, sketch, sketch_version)
SELECT :dataset, :domain, conversation_id, exact_fingerprint, normalized_fingerprint, band_keys, sketch, sketch_version
FROM incoming
ON CONFLICT (dataset, conversation_id) DO UPDATE SET
    domain = excluded.domain, exact_fingerprint = excluded.exact_fingerprint,
    normalized_fingerprint = excluded.normalized_fingerprint, band_keys = excluded.band_keys,
    sketch = excluded.sketch, sketch_version = excluded.sketch_version, indexed_at = now()
WHERE (old.domain, old.exact_fingerprint, old.band_keys, old.sketch)
    IS DISTINCT FROM (excluded.domain, excluded.exact_fingerprint, excluded.band_keys, excluded.sketch)
""")
_INCOMING = Table(
    "incoming",
    MetaData(),
    Column("conversation_id", Text, primary_key=True),
    Column("exact_fingerprint", Text),
    Column("normalized_fingerprint", Text),
    Column("band_keys", ARRAY(BigInteger)),
    Column("sketch", LargeBinary),
    Column("sketch_version", SmallInteger),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


class DeliveredSketch(CallSketch, frozen=True, kw_only=True):
    """The sketch of a delivered call and its data set. Of before migration 0006: fingerprints, no bands, no body."""

    dataset: str


class DeliveredIndex:
    """Reads and writes the `conversations` table.

    Args:
        engine: The database.
        excluding: A data set whose own rows are not looked at: a set that is made again never matches itself.
    """

    def __init__(self, engine: Engine, excluding: str = "") -> None:
        self._engine = engine
        self._excluding = excluding

    def near(self, sketches: Sequence[CallSketch]) -> Mapping[str, Sequence[DeliveredSketch]]:
        """Delivered calls that share a fingerprint or a band with each of `sketches`, by its id.

        Those that share the words come first, then those that share most bands; at most 10 by bands for each. A
        sketch that nothing is near has no entry. Of rows with another encoding only fingerprints are compared.
        """
        found: dict[str, dict[tuple[str, str], DeliveredSketch]] = {}
        with self._engine.begin() as connection:
            connection.execute(_BY_INDEX)
            for batch in _batches(sketches, _LOOKUP_BATCH):
                for sketch, row in (*self._by_words(connection, batch), *self._by_bands(connection, batch)):
                    found.setdefault(sketch.id, {}).setdefault((row.dataset, row.id), row)
        return {id: list(rows.values()) for id, rows in found.items()}

    def replace_dataset(self, dataset: str, sketches: Iterable[CallSketch], *, domain: str = "") -> int:
        """Makes `sketches` all that is known to be delivered of a data set, in one transaction; how many there are.

        Readers see the old rows or the new ones, never a mixture. Rows that stay as they are are not written anew.
        Of each call 24 keys are kept, none that 50 calls have already: a duplicate shares rarer ones too.
        """
        count = 0
        key_counts = bytearray(1 << _COUNT_BITS)
        with self._engine.begin() as connection:
            connection.execute(_LOCK, {"dataset": dataset})
            connection.execute(_BY_INDEX)
            _INCOMING.create(connection, checkfirst=False)
            for batch in _batches(sketches, _BATCH):
                kept = _rare_keys(connection, batch, dataset, key_counts)
                rows = [_row(sketch, keys) for sketch, keys in zip(batch, kept, strict=True)]
                connection.execute(insert(_INCOMING), rows)
                count += len(batch)
            connection.execute(_FORGET, {"dataset": dataset})
            connection.execute(_TAKE_OVER, {"dataset": dataset, "domain": domain})
            connection.execute(_SORT_IN)
        return count

    def _by_words(
        self, connection: Connection, batch: list[CallSketch]
    ) -> Iterator[tuple[CallSketch, DeliveredSketch]]:
        columns = conversations.c
        query = (
            select(
                columns.conversation_id,
                columns.dataset,
                columns.exact_fingerprint,
                columns.normalized_fingerprint,
                columns.band_keys,
                columns.sketch,
            )
            .where(columns.normalized_fingerprint == any_(bindparam("wanted", type_=ARRAY(String))))
            .where(columns.dataset != self._excluding)
            .order_by(columns.dataset, columns.conversation_id)
        )
        wanted: dict[str, list[CallSketch]] = {}
        for sketch in batch:
            wanted.setdefault(sketch.normalized, []).append(sketch)
        for row in connection.execute(query, {"wanted": list(wanted)}):
            found = _sketch(row)
            for sketch in wanted[found.normalized]:
                yield sketch, found

    def _by_bands(
        self, connection: Connection, batch: list[CallSketch]
    ) -> Iterator[tuple[CallSketch, DeliveredSketch]]:
        with_bands = [sketch for sketch in batch if sketch.bands]
        if not with_bands:
            return
        asked = {
            # Arrays of different lengths have no common SQL type, so each travels in its text form.
            "keys": ["{" + ",".join(map(str, sketch.band_keys())) + "}" for sketch in with_bands],
            "version": with_bands[0].body[0],
            "dataset": self._excluding,
            "most": _MOST_CANDIDATES,
            "most_of_a_key": _MOST_OF_A_KEY,
            "many": _MANY_KEYS,
        }
        for number, *row in connection.execute(_BY_BANDS, asked):
            yield with_bands[number - 1], _sketch(row)


def dataset_of_call(engine: Engine, call: str) -> str | None:
    """The data set that delivered the call with this id; None when none here did. Reads the whole table."""
    query = select(conversations.c.dataset).where(conversations.c.conversation_id == call).limit(1)
    with engine.connect() as connection:
        return connection.execute(query).scalar_one_or_none()


def _sketch(row: Sequence[Any]) -> DeliveredSketch:
    id_, dataset, exact, normalized, keys, body = row
    keys = keys or ()
    return DeliveredSketch(
        id=id_,
        dataset=dataset,
        exact=exact or "",
        normalized=normalized or "",
        bands=struct.pack(f"<{len(keys)}q", *keys),
        body=bytes(body or b""),
    )


def _rare_keys(connection: Connection, batch: list[CallSketch], dataset: str, counts: bytearray) -> list[list[int]]:
    """The keys to keep of each call: those that fewer than the most calls have, of other sets and of this one so far.

    Most calls find as many as are kept among their first keys, so only the others ask for the rest.
    """
    kept: list[list[int]] = [[] for _ in batch]
    keys_of = [_smallest_of_each_kind(sketch.band_keys()) for sketch in batch]
    for part in (slice(_KEYS_OF_A_CALL), slice(_KEYS_OF_A_CALL, None)):
        wanted = [keys[part] if len(mine) < _KEYS_OF_A_CALL else [] for mine, keys in zip(kept, keys_of, strict=True)]
        elsewhere = _calls_with_keys(connection, {key for keys in wanted for key in keys}, dataset)
        for mine, keys in zip(kept, wanted, strict=True):
            for key in keys:
                slot = key & (len(counts) - 1)
                if len(mine) < _KEYS_OF_A_CALL and elsewhere.get(key, 0) + counts[slot] < _MOST_OF_A_KEY:
                    counts[slot] += 1
                    mine.append(key)
    return kept


def _smallest_of_each_kind(keys: Sequence[int]) -> list[int]:
    """Keys of several kinds one after the other, each kind rising, in turns: the smallest of each, then the next.

    The smallest are those that a copy, whose keys are the smallest too, has most likely kept.
    """
    ranks = [0] * len(keys)
    for place in range(1, len(keys)):
        ranks[place] = ranks[place - 1] + 1 if keys[place] > keys[place - 1] else 0
    return [key for _, key in sorted(zip(ranks, keys, strict=True), key=itemgetter(0))]


def _calls_with_keys(connection: Connection, keys: set[int], dataset: str) -> dict[int, int]:
    """How many calls of other data sets have each key, counted up to the most that are kept."""
    # In order, so that a page of the index is read once.
    asked = {"keys": sorted(keys), "dataset": dataset, "most": _MOST_OF_A_KEY}
    return {row.key: row.calls for row in connection.execute(_CALLS_WITH_KEYS, asked)}


def _row(sketch: CallSketch, keys: list[int]) -> dict[str, Any]:
    return {
        "conversation_id": sketch.id,
        "exact_fingerprint": sketch.exact,
        "normalized_fingerprint": sketch.normalized,
        "band_keys": keys or None,
        "sketch": sketch.body or None,
        "sketch_version": sketch.body[0] if sketch.body else None,
    }


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
