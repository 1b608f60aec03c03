"""A call cut once into what all features read: words, sentences and breaks of every turn."""

import math
import re
from collections.abc import Sequence

from tip_resources.domain.conversation import Conversation

# Words with inner apostrophes and hyphens, numbers, sentence ends, other breaks; one pass over the whole call.
_PIECE = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d+(?:[.,:]\d+)*|[.!?]+|[,;:\u2026\u2013\u2014]|--+|\n")
_TURN_END = "\n"
_SENTENCE_MARKS = frozenset(".!?")


def deviation(counts: Sequence[int]) -> float:
    """Population standard deviation of whole numbers: `statistics.pstdev` without its slow fractions."""
    size, total = len(counts), sum(counts)
    return math.sqrt(size * sum(count * count for count in counts) - total * total) / size


class MeasuredTurn:
    """One turn's words in lower case; `sentences` holds the words of each sentence, `asks` whether it asks."""

    __slots__ = ("asks", "breaks", "ends_asking", "ends_in_full_stop", "sentences", "speaker", "words")

    def __init__(self, speaker: str, pieces: Sequence[str]) -> None:
        self.speaker = speaker
        self.words: list[str] = []
        self.sentences: list[list[str]] = []
        self.asks = False
        self.ends_asking = bool(pieces) and "?" in pieces[-1]
        self.ends_in_full_stop = bool(pieces) and pieces[-1] == "."
        # Indices into `words` before which a comma, dash or sentence end stands.
        self.breaks: set[int] = set()
        sentence: list[str] = []
        for piece in pieces:
            if piece[0].isalnum():
                self.words.append(piece)
                sentence.append(piece)
                continue
            self.breaks.add(len(self.words))
            if piece[0] in _SENTENCE_MARKS:
                self.asks = self.asks or "?" in piece
                if sentence:
                    self.sentences.append(sentence)
                    sentence = []
        if sentence:
            self.sentences.append(sentence)


class MeasuredCall:
    """Turns with at least one word, in order; `words` are all of the call's."""

    def __init__(self, conversation: Conversation) -> None:
        text = "\n".join(turn.text.replace("\n", " ") for turn in conversation.turns).lower().replace("\u2019", "'")
        self.turns: list[MeasuredTurn] = []
        pieces: list[str] = []
        number = 0
        for piece in (*_PIECE.findall(text), _TURN_END):
            if piece != _TURN_END:
                pieces.append(piece)
                continue
            if number < len(conversation.turns):
                turn = MeasuredTurn(conversation.turns[number].speaker, pieces)
                if turn.words:
                    self.turns.append(turn)
            pieces = []
            number += 1
        self.words = [word for turn in self.turns for word in turn.words]
        self.domain = conversation.domain
        self.is_english = conversation.language.lower().startswith("en")

    def turns_of(self, speaker: str) -> list[MeasuredTurn]:
        """One speaker's turns in order."""
        return [turn for turn in self.turns if turn.speaker == speaker]
