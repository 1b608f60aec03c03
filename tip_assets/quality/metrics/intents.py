"""Which steps of their intent paths calls reach, as far as the words of a step's description can tell.

A step is found where two of its content words fall within an exchange (a turn and the next). Steps whose words fall in
calls that do not plan them as well say nothing and are left out. Of the rest the figure is a low bound: steps such as
"apologize for the wait" are reached in other words than those that describe them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from tip_assets.quality.features.measured_call import MeasuredCall
from tip_assets.quality.word_lists import word_list
from tip_assets.quality.words import words_of

# Who acts, and what every step says they do.
_EVERYWHERE = frozenset({"agent", "agents", "caller", "callers", "customer", "says", "asks", "tells", "gives", "finds"})
_STOPWORDS = word_list("features", "stopwords") | _EVERYWHERE
_STEM = 5
_SHORTEST_WORD = 3
_WORDS_IN_AN_EXCHANGE = 2
# A step found in more than a quarter of the calls without it is not told by its words.
_MOST_FOUND_ELSEWHERE = 0.25
_LEAST_CALLS_ELSEWHERE = 10


class IntentReach(msgspec.Struct, frozen=True, kw_only=True):
    """`planned` and `reached` count steps over calls; `by_step` is the share reached of each step that can be told."""

    planned: int
    reached: int
    by_step: dict[str, float]
    not_told: tuple[str, ...]


class IntentReader:
    """`steps` are the descriptions of a domain's steps by name."""

    def __init__(self, steps: Mapping[str, str]) -> None:
        stems = {name: _stems(words_of(f"{name.replace('_', ' ')} {text}")) for name, text in steps.items()}
        self._stems = {name: found for name, found in stems.items() if len(found) >= _WORDS_IN_AN_EXCHANGE}

    def found_in(self, call: MeasuredCall) -> frozenset[str]:
        """Every step whose words the call has, planned or not."""
        said = [_stems(turn.words) for turn in call.turns]
        exchanges = [one | other for one, other in pairwise(said)] or said
        return frozenset(
            name
            for name, stems in self._stems.items()
            if any(len(stems & exchange) >= _WORDS_IN_AN_EXCHANGE for exchange in exchanges)
        )


def intent_reach(calls: Sequence[tuple[frozenset[str], tuple[str, ...]]]) -> IntentReach:
    """Over calls given as the steps found in them and their intent path."""
    planned, hits, elsewhere = Counter[str](), Counter[str](), Counter[str]()
    for found, path in calls:
        planned.update(set(path))
        hits.update(found & set(path))
        elsewhere.update(found - set(path))
    told = [name for name in planned if _is_told(len(calls) - planned[name], elsewhere[name])]
    return IntentReach(
        planned=sum(planned[name] for name in told),
        reached=sum(hits[name] for name in told),
        by_step={name: hits[name] / planned[name] for name in sorted(told)},
        not_told=tuple(sorted(set(planned) - set(told))),
    )


def _is_told(calls_without: int, found_there: int) -> bool:
    return calls_without >= _LEAST_CALLS_ELSEWHERE and found_there <= _MOST_FOUND_ELSEWHERE * calls_without


def _stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in words if word not in _STOPWORDS and len(word) >= _SHORTEST_WORD)
