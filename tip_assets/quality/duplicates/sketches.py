"""Sketches of calls: their fingerprints, the keys they are looked up by, and the words they are compared by."""

from collections.abc import Sequence

from tip_assets.quality.duplicates.bands import band_keys
from tip_assets.quality.duplicates.bodies import packed_body, packed_words
from tip_assets.quality.duplicates.fingerprints import fingerprints
from tip_assets.quality.duplicates.words import AGENT_TURN, OTHER_TURN, words_of_calls
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.sketch import CallSketch

# Calls worked on together: enough to make the cost of a numpy call vanish, few enough to stay in a core's cache.
_BATCH_CALLS = 256


def sketches(conversations: Sequence[Conversation]) -> list[CallSketch]:
    """The sketch of every call, in order. Every call has one: without words it has no keys and an empty body."""
    made: list[CallSketch] = []
    for begin in range(0, len(conversations), _BATCH_CALLS):
        batch = conversations[begin : begin + _BATCH_CALLS]
        words = words_of_calls([_text(call) for call in batch])
        packed = packed_words(words.hashes, words.is_masked, words.is_agent)
        starts = words.starts.tolist()
        for call, bands, start, end in zip(batch, band_keys(words), starts, starts[1:], strict=False):
            prints = fingerprints(call)
            body = packed_body(packed[start:end])
            made.append(
                CallSketch(id=call.id, exact=prints.exact, normalized=prints.normalized, bands=bands, body=body)
            )
    return made


def _text(call: Conversation) -> str:
    return "".join([f"{AGENT_TURN if turn.speaker == 'agent' else OTHER_TURN}{turn.text}" for turn in call.turns])
