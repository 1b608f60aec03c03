"""Which batches a set has handed in, kept beside its finished calls, so that a killed run finds them again.

batches/
  <ticket>-asked.json    what is about to be handed in: kept before anything is sent
  <ticket>-sent.json     the batch it became

Between the two a batch may exist that we never heard of; it carries the ticket and is looked for before another is
made. Nothing is paid twice.
"""

import msgspec
from upath import UPath

from tip_resources.domain.codec import from_json, to_json
from tip_resources.llm.dialect import Dialect
from tip_resources.storage.objects import list_objects, object_exists, put_object, read_object, read_objects

_ASKED, _SENT = "-asked.json", "-sent.json"


class BatchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One batch: whose answers it brings, and in which dialect it was asked. `created_at` is ISO 8601, UTC."""

    ticket: str
    url: str
    model: str
    created_at: str
    custom_ids: tuple[str, ...]
    dialect: Dialect


class _Sent(msgspec.Struct, frozen=True):
    batch_id: str


class BatchRecords:
    """The batches of one set, in a folder of small immutable objects."""

    def __init__(self, folder: UPath) -> None:
        self._folder = folder

    def asked(self, record: BatchRecord) -> None:
        """Keeps what is about to be handed in."""
        put_object(self._folder / f"{record.ticket}{_ASKED}", to_json(record))

    def sent(self, ticket: str, batch_id: str) -> None:
        """Keeps what became of it."""
        put_object(self._folder / f"{ticket}{_SENT}", to_json(_Sent(batch_id)))

    def all(self) -> list[tuple[BatchRecord, str | None]]:
        """Every batch, oldest first, with its id; None where a run was killed before it learned it."""
        found = []
        for path, data in read_objects(list_objects(self._folder, f"*{_ASKED}")):
            record = from_json(data, BatchRecord, where=str(path))
            sent = self._folder / f"{record.ticket}{_SENT}"
            is_sent = object_exists(sent)
            batch_id = from_json(read_object(sent), _Sent, where=str(sent)).batch_id if is_sent else None
            found.append((record, batch_id))
        return sorted(found, key=lambda one: (one[0].created_at, one[0].ticket))
