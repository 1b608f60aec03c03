"""What a half-written set already has, one immutable object per conversation.

parts/<dataset>/
  calls/<index // 1000>/<index>-<identity>.json    an accepted conversation
  usage/<call_id>.json                             what one model call cost
  rejects/<index>-<uuid>.json                      what a model returned and we could not use
  batches/                                         what was handed in to a batch API (batch_records.py)

A conversation's identity is a hash of everything that shaped it (scenario, personas, prompt, model, mode,
scripted): a re-run keeps what matches and asks only for what is missing. The folder listing is the
manifest: an object store can neither append to one nor rename it, and a listing cannot be out of date.
"""

import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from upath import UPath

from tip_resources.domain.codec import conversation_from_json, from_json, to_json
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.reject import Reject
from tip_resources.storage.objects import list_objects, put_object, read_objects, remove_tree
from tip_resources.storage.places import is_local

_CALLS_PER_FOLDER = 1_000


class CallUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens and time of one model call, and how many conversations were kept from it."""

    call_id: str
    endpoint: str
    tokens_in: int | None
    tokens_out: int | None
    duration_ms: float
    items: int
    failure: str | None = None


class Checkpoint:
    """The parts of one data set."""

    def __init__(self, folder: UPath) -> None:
        self._folder = folder

    @property
    def folder(self) -> UPath:
        """Where the parts lie; what else belongs to the writing of the set is kept beside them."""
        return self._folder

    def save(self, conversation: Conversation, identity: str) -> None:
        """Keeps an accepted conversation; on return it survives a kill."""
        assert conversation.index is not None
        put_object(self._call_path(conversation.index, identity), to_json(conversation))

    def finished(self) -> dict[int, set[str]]:
        """Identities kept so far, by plan index."""
        found: dict[int, set[str]] = {}
        for path in list_objects(self._folder / "calls", "*/*.json"):
            index, _, identity = path.name.removesuffix(".json").partition("-")
            found.setdefault(int(index), set()).add(identity)
        return found

    def load(self, calls: Iterable[tuple[int, str]]) -> Iterator[Conversation]:
        """Kept conversations by index and identity, in the order given."""
        for path, data in read_objects(self._call_path(index, identity) for index, identity in calls):
            yield conversation_from_json(data, where=str(path))

    def reject(self, reject: Reject) -> None:
        """Keeps what could not be used, with its reason."""
        index = "none" if reject.index is None else f"{reject.index:08d}"
        put_object(
            self._folder / "rejects" / f"{index}-{uuid.uuid4().hex}.json",
            to_json(reject),
        )

    def rejects(self) -> Iterator[Reject]:
        """All rejects, by plan index."""
        for path, data in read_objects(list_objects(self._folder / "rejects", "*.json")):
            yield from_json(data, Reject, where=str(path))

    def attempts(self) -> dict[int, int]:
        """How many attempts at each plan index were rejected so far."""
        counts: dict[int, int] = {}
        for path in list_objects(self._folder / "rejects", "*.json"):
            index = path.name.partition("-")[0]
            if index != "none":
                counts[int(index)] = counts.get(int(index), 0) + 1
        return counts

    def save_usage(self, usage: CallUsage) -> None:
        """Keeps what one model call cost."""
        put_object(self._folder / "usage" / f"{usage.call_id}.json", to_json(usage))

    def usages(self) -> dict[str, CallUsage]:
        """What each model call cost, by call id."""
        found = read_objects(list_objects(self._folder / "usage", "*.json"))
        usages = (from_json(data, CallUsage, where=str(path)) for path, data in found)
        return {usage.call_id: usage for usage in usages}

    def remove_half_written(self) -> None:
        """Removes what killed steps left of files they were writing; called when nobody writes calls any more."""
        if is_local(self._folder):
            for path in Path(self._folder.path).rglob(".*.tmp"):
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forgets everything (`--fresh`)."""
        remove_tree(self._folder)

    def _call_path(self, index: int, identity: str) -> UPath:
        # One join: each costs as much as a write.
        return self._folder / f"calls/{index // _CALLS_PER_FOLDER:05d}/{index:08d}-{identity}.json"
