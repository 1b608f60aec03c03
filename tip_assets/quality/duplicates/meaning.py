"""Whether two calls say the same in other words: their turns' meanings, aligned in order, and the facts they name.

One vector a call does not tell a paraphrase from two halves of different calls joined together; the stretch that
matches least does. docs/duplicates.md has the figures.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.semantic import CallPair, SentenceModel
from tip_assets.quality.duplicates.spoken_pieces import MOST_PIECES, Named, Piece, named_in, pieces_of
from tip_assets.quality.duplicates.word_vectors import WordVectors
from tip_resources.domain.conversation import Conversation, Speaker

Vectors = NDArray[np.float32]
_SPEAKERS = get_args(Speaker)

# A piece may match one that stands up to this share of the call earlier or later.
_DRIFT = 0.15
# The stretch, as a share of the call's weight, whose mean decides; moved along in this many steps.
_STRETCH, _STEPS = 0.3, 12
# What weighs less than this share of the call is no stretch and no speaker of it.
_LEAST_SHARE = 0.1
# As if every speaker named three facts more, of which 0.8 are found in the other: few facts decide little.
_FACTS_ASSUMED, _SHARE_ASSUMED = 3, 0.8
# Less said than this (words that carry a topic) makes no call that can be told from another.
_LEAST_WEIGHT = 12.0
# In short calls two thirds of the sentences are those of everybody, so their likeness counts two thirds, growing to
# all of it: to be told as the same they need 0.70. Chosen on MultiDoGO (docs/duplicates.md).
_SHORT_WEIGHT, _FULL_WEIGHT, _SHORT_COUNTS = 25.0, 45.0, 0.67
# The logistic curve from likeness to certainty, the same for both kinds of vectors: 0.95 is a likeness of 0.47.
# Fitted to sentence vectors on two corpora: 0.40 to 0.42 and 23 to 30 (benchmarks/quality/semantic.py --fit); ours is
# steeper and begins earlier, so that 0.95 gives up less recall: by words 0.44 removed no more wrongly than 0.50.
_MIDDLE, _STEEPNESS = 0.38, 33.0
# Pairs less alike by words than this are not read by sentences. Of 80 paraphrases of real dialogues sentences found 74;
# the least alike of them by words had 0.37 (benchmarks/quality/semantic.py --floor).
_WORDS_FLOOR = 0.3
# Pairs whose vectors are held at once: 10 MB of them for calls of 20 turns.
_PAIRS_AT_ONCE = 64


class Said(NamedTuple):
    """A call as it is compared: vectors, numbers of speakers and weights of its pieces, in order, and what it names."""

    vectors: Vectors
    speakers: NDArray[np.int8]
    weights: NDArray[np.float64]
    named: Named


class MeaningComparer:
    """Decides on pairs by their turns' vectors; the cheapest look first.

    A pair that names different facts is settled by them, without vectors. Word vectors come next. Where there is a
    sentence model, they only settle the pairs that have next to nothing in common, and those beyond `most_read`.

    Args:
        certainty: 0-1; pairs judged with this certainty or more are duplicates.
        sentences: Makes sentence vectors; None: word vectors decide.
        most_read: Pairs that are compared by sentence vectors at most, over all calls of `duplicates`; a pair that was
            asked before is not counted again. What comes first is read.
    """

    def __init__(self, certainty: float, sentences: SentenceModel | None = None, most_read: int | None = None) -> None:
        self._certainty = certainty
        self._least_likeness = likeness_at(certainty)
        self._words = WordVectors()
        self._sentences = sentences
        self._most_read = most_read
        # Likeness by sentence vectors, by what the two calls say.
        self._read: dict[bytes, float] = {}
        self.not_read = 0

    @property
    def read(self) -> int:
        """Pairs compared by sentence vectors so far."""
        return len(self._read)

    def duplicates(self, pairs: Sequence[CallPair]) -> list[DuplicateMatch | None]:
        """One answer a pair, in order; None as well for calls too short or too long to be told by meaning."""
        named = _named_in_all(pairs)
        matches: list[DuplicateMatch | None] = [None] * len(pairs)
        places = [place for place, pair in enumerate(pairs) if self._can_be(pair, named)]
        for start in range(0, len(places), _PAIRS_AT_ONCE):
            chunk = places[start : start + _PAIRS_AT_ONCE]
            for place, found in zip(chunk, self._likenesses([pairs[place] for place in chunk], named), strict=True):
                matches[place] = self._match(pairs[place], certainty_of(found))
        return matches

    def _match(self, pair: CallPair, similarity: float) -> DuplicateMatch | None:
        if similarity < self._certainty:
            return None
        return DuplicateMatch(id=pair.new.id, duplicate_of=pair.earlier.id, method="semantic", similarity=similarity)

    def _can_be(self, pair: CallPair, named: Mapping[str, Named]) -> bool:
        is_told = all(call.language.lower().startswith("en") for call in (pair.new, pair.earlier))
        return is_told and facts_shared(named[pair.new.id], named[pair.earlier.id]) >= self._least_likeness

    def _likenesses(self, pairs: Sequence[CallPair], named: Mapping[str, Named]) -> list[float]:
        found = self._likenesses_by(pairs, named, self._words)
        if self._sentences is None:
            return found
        keys = [_key(pair) for pair in pairs]
        to_read: list[int] = []
        for place, key in enumerate(keys):
            if found[place] < _WORDS_FLOOR or key in self._read:
                continue
            if self._most_read is None or len(self._read) + len(to_read) < self._most_read:
                to_read.append(place)
            else:
                self.not_read += 1
        asked = [pairs[place] for place in to_read]
        self._read.update(
            zip((keys[place] for place in to_read), self._likenesses_by(asked, named, self._sentences), strict=True)
        )
        return [self._read.get(key, by_words) for key, by_words in zip(keys, found, strict=True)]

    def _likenesses_by(
        self, pairs: Sequence[CallPair], named: Mapping[str, Named], model: SentenceModel | WordVectors
    ) -> list[float]:
        """The likeness of each pair; 0 where a call has too little or too much said."""
        calls = {call.id: call for pair in pairs for call in (pair.new, pair.earlier)}
        said = dict(zip(calls, said_by(list(calls.values()), model, named), strict=True))
        both = [(said[pair.new.id], said[pair.earlier.id]) for pair in pairs]
        # The matrices are small: a second thread mostly waits, and that took ten times the CPU on a busy machine.
        with _blas().limit(limits=1, user_api="blas"):
            return [likeness(new, earlier) if new and earlier else 0.0 for new, earlier in both]


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def _named_in_all(pairs: Sequence[CallPair]) -> dict[str, Named]:
    """What each call of the pairs names, by its id."""
    named: dict[str, Named] = {}
    for pair in pairs:
        for call, known in zip((pair.new, pair.earlier), pair.named or (None, None), strict=True):
            if call.id not in named:
                named[call.id] = known or named_in(call.turns)
    return named


def _key(pair: CallPair) -> bytes:
    """What the calls of a pair say, whichever comes first, in 16 bytes."""
    texts = sorted(
        "\n".join(f"{turn.speaker}: {turn.text}" for turn in call.turns) for call in (pair.new, pair.earlier)
    )
    return blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def said_by(
    calls: Sequence[Conversation], model: SentenceModel, named: Mapping[str, Named] | None = None
) -> list[Said | None]:
    """Calls ready to be compared; None for those with too little or too much said. A text is read once.

    `named` is what each call names, by its id, where that was worked out before.
    """
    pieces = [_comparable(pieces_of(call)) for call in calls]
    texts = list(dict.fromkeys(piece.text for found in pieces for piece in found))
    rows = dict(zip(texts, model.vectors(texts), strict=True)) if texts else {}
    return [
        Said(
            np.stack([rows[piece.text] for piece in found]),
            np.array([_SPEAKERS.index(piece.speaker) for piece in found], dtype=np.int8),
            np.array([piece.weight for piece in found]),
            named[call.id] if named else named_in(call.turns),
        )
        if found
        else None
        for call, found in zip(calls, pieces, strict=True)
    ]


def _comparable(pieces: list[Piece]) -> list[Piece]:
    """The pieces, or none where they are too few or too many."""
    is_enough = len(pieces) <= MOST_PIECES and sum(piece.weight for piece in pieces) >= _LEAST_WEIGHT
    return pieces if is_enough else []


def likeness(one: Said, other: Said) -> float:
    """0-1: the mean cosine of what matches least, times the share of facts in common; less where little is said.

    Each piece is matched with the nearest in meaning that the same speaker says in the other call at about the
    same place (by weight). What matches least is a stretch of the call or all that one speaker says; of both calls
    the lesser counts, since a call with its end left out says less.
    """
    cosines = one.vectors @ other.vectors.T
    drift = np.abs(_places(one.weights)[:, None] - _places(other.weights)[None, :])
    cosines[(drift > _DRIFT) | (one.speakers[:, None] != other.speakers[None, :])] = 0.0
    np.maximum(cosines, 0.0, out=cosines)
    least = min(_least(cosines.max(axis=1), one), _least(cosines.max(axis=0), other))
    weight = min(one.weights.sum(), other.weights.sum())
    counts = np.interp(weight, (_SHORT_WEIGHT, _FULL_WEIGHT), (_SHORT_COUNTS, 1.0))
    return float(least * counts * facts_shared(one.named, other.named))


def facts_shared(one: Named, other: Named) -> float:
    """0-1: the share of a speaker's facts that are words of the other call; of speakers and calls the least."""
    return min(
        (
            (len(facts & theirs.words) + _FACTS_ASSUMED * _SHARE_ASSUMED) / (len(facts) + _FACTS_ASSUMED)
            for ours, theirs in ((one, other), (other, one))
            for facts in ours.facts.values()
        ),
        default=0.0,
    )


def certainty_of(likeness_: float) -> float:
    """0-1: how sure it is that two calls so alike say the same."""
    return 1.0 / (1.0 + math.exp(-_STEEPNESS * (likeness_ - _MIDDLE)))


def likeness_at(certainty: float) -> float:
    """The likeness from which on two calls are duplicates with this certainty (0-1)."""
    inside = min(max(certainty, 1e-9), 1 - 1e-9)
    return _MIDDLE + math.log(inside / (1 - inside)) / _STEEPNESS


def _places(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the middle of each piece lies, 0-1."""
    return (np.cumsum(weights) - weights / 2) / weights.sum()


def _least(cosines: NDArray[np.floating], said: Said) -> float:
    """The mean of the stretch that matches least, or of the speaker, where that is less."""
    middles = np.linspace(_STRETCH / 2, 1 - _STRETCH / 2, _STEPS)
    stretches = np.abs(middles[:, None] - _places(said.weights)[None, :]) <= _STRETCH / 2
    speakers = np.unique(said.speakers)[:, None] == said.speakers[None, :]
    weights = np.concatenate([stretches, speakers]) * said.weights[None, :]
    totals = weights.sum(axis=1)
    # Who hardly speaks does not decide, and a long piece can leave a step without the middle of any.
    counted = totals >= _LEAST_SHARE * said.weights.sum()
    return float(((weights @ cosines)[counted] / totals[counted]).min())
