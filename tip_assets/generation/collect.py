"""From checkpoint parts to the raw set: kept calls in plan order, with their share of each model call."""

from collections.abc import Iterable, Iterator

import msgspec
import polars as pl

from tip_resources.domain.conversation import Conversation
from tip_resources.storage.checkpoint import CallUsage, Checkpoint

# The set of what could not be used, stored beside the assets' own.
REJECTS = "rejects"


def kept_conversations(checkpoint: Checkpoint, identities: Iterable[tuple[int, str]]) -> Iterator[Conversation]:
    """The kept calls of a plan, in plan order. `identities` gives the index and identity of every plan.

    Tokens of a model call are shared equally among the calls kept from it, rejected ones included in the
    divisor, so that the shares of a set never add up to more than was spent.
    """
    finished = checkpoint.finished()
    usages = checkpoint.usages()
    kept = ((index, identity) for index, identity in identities if identity in finished.get(index, ()))
    for conversation in checkpoint.load(kept):
        yield _with_share(conversation, usages)


def _with_share(conversation: Conversation, usages: dict[str, CallUsage]) -> Conversation:
    provenance = conversation.provenance
    usage = usages.get(provenance.call_id) if provenance else None
    if provenance is None or usage is None or usage.items == 0:
        return conversation
    share = msgspec.structs.replace(
        provenance,
        tokens_in=None if usage.tokens_in is None else usage.tokens_in // usage.items,
        tokens_out=None if usage.tokens_out is None else usage.tokens_out // usage.items,
    )
    return msgspec.structs.replace(conversation, provenance=share)


def count_reasons(rejects: pl.LazyFrame) -> dict[str, int]:
    """Rejects of a set by reason, most frequent first."""
    counts = rejects.group_by("reason").len().sort("len", "reason", descending=[True, False])
    return dict(counts.collect().iter_rows())
