"""Which calls were seen before, and which of a stream repeat an earlier one.

What other sets delivered comes in as known fingerprints (tip_resources/database/delivered.py).
"""

from collections.abc import Iterable, Iterator, Mapping

from tip_assets.quality.duplicates.fingerprints import Fingerprints, fingerprints
from tip_assets.quality.duplicates.matches import DuplicateMatch, DuplicateMethod
from tip_resources.domain.conversation import Conversation


class DuplicateIndex:
    """The fingerprints seen so far, in memory; about 300 bytes a call.

    Args:
        known: Fingerprints (of either kind) delivered earlier, each with its conversation's id. They are
            there before anything is added, so what was delivered before always survives.
    """

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self._ids: dict[bytes, str] = {bytes.fromhex(fingerprint): id_ for fingerprint, id_ in (known or {}).items()}

    def find(self, conversation: Conversation) -> DuplicateMatch | None:
        """The earlier call this one duplicates and how, or None when it is new. Adds nothing."""
        return self._find(conversation.id, fingerprints(conversation))

    def add(self, conversation: Conversation) -> None:
        """Remembers a call that was kept; the first call with a fingerprint stays its owner."""
        self._add(conversation.id, fingerprints(conversation))

    def find_or_add(self, conversation: Conversation) -> DuplicateMatch | None:
        """`find`, and `add` when it is new, with the fingerprints worked out once."""
        prints = fingerprints(conversation)
        match = self._find(conversation.id, prints)
        if match is None:
            self._add(conversation.id, prints)
        return match

    def _find(self, id_: str, prints: Fingerprints) -> DuplicateMatch | None:
        methods: tuple[DuplicateMethod, ...] = ("exact", "normalized")
        for method in methods:
            earlier = self._ids.get(bytes.fromhex(getattr(prints, method)))
            if earlier is not None:
                return DuplicateMatch(id=id_, duplicate_of=earlier, method=method, similarity=1.0)
        return None

    def _add(self, id_: str, prints: Fingerprints) -> None:
        self._ids.setdefault(bytes.fromhex(prints.exact), id_)
        self._ids.setdefault(bytes.fromhex(prints.normalized), id_)


def deduplicate(
    conversations: Iterable[Conversation], index: DuplicateIndex | None = None
) -> Iterator[tuple[Conversation, DuplicateMatch | None]]:
    """Yields every call in order with what it duplicates, or None for those to keep.

    Streams: only fingerprints are held. `index` carries what was seen before and is added to.
    """
    seen = index if index is not None else DuplicateIndex()
    for conversation in conversations:
        yield conversation, seen.find_or_add(conversation)
