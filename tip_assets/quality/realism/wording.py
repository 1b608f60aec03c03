"""The second, stronger view of a call: which small words follow which, names, numbers and topics masked.

A model of words alone would tell a healthcare set from a mixed reference by its topics; masked, it has to go by manner.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from tip_assets.quality.features.measured_call import MeasuredCall
from tip_assets.quality.word_lists import word_list
from tip_resources.domain.conversation import Conversation

_SMALL_WORDS = frozenset().union(
    *(
        word_list("features", name)
        for name in ("stopwords", "fillers", "acknowledgements", "question_words", "subjects", "modals", "prepositions")
    )
)
_MASK = "_"
_LONGEST = 3
WIDTH = 1 << 13


def masked_words(conversation: Conversation) -> list[str]:
    """The call's words turn by turn, a mark of the speaker first, everything but small words masked."""
    words: list[str] = []
    for turn in MeasuredCall(conversation).turns:
        words.append(f"<{turn.speaker}>")
        words.extend(word if word in _SMALL_WORDS else _MASK for word in turn.words)
    return words


def wording_vectors(conversations: Sequence[Conversation]) -> Any:
    """A sparse matrix, one row of unit length a call: hashed runs of 1 to 3 words, counts damped by a root."""
    import numpy as np
    from scipy.sparse import csr_matrix

    data = [np.empty(0)]
    columns = [np.empty(0, np.int32)]
    starts = [0]
    for conversation in conversations:
        words = masked_words(conversation)
        runs = Counter(
            crc32(" ".join(words[place : place + size]).encode()) % WIDTH
            for size in range(1, _LONGEST + 1)
            for place in range(len(words) - size + 1)
        )
        weights = np.sqrt(np.fromiter(runs.values(), dtype=float, count=len(runs)))
        length = float(np.linalg.norm(weights)) or 1.0
        data.append(weights / length)
        columns.append(np.fromiter(runs, dtype=np.int32, count=len(runs)))
        starts.append(starts[-1] + len(runs))
    shape = (len(conversations), WIDTH)
    return csr_matrix((np.concatenate(data), np.concatenate(columns), starts), shape=shape)
