"""Finds the exchange of the grammar whose agent line is most like a line that was heard. Built once per process."""

import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tip_resources.rehearsal.dialogue.library import Grammar, shipped_grammar
from tip_resources.rehearsal.dialogue.template import Alternative, Choice, Parts, RuleReference

_WORDS = re.compile(r"[a-z']+")
# What a template could also have said counts against it this much.
_WEIGHT_OF_UNSAID = 0.3
_DEEPEST_RULE = 2

AGENT_MOVES = ("hold", "transfer")
CUSTOMER_MOVES = ("change_of_mind", "interruption", "clarification")


@dataclass(frozen=True)
class Heard:
    """An exchange that a heard line may come from: the kind of scene, and the answers to it."""

    kind: str
    answers: tuple[Alternative, ...]


class _Index:
    """Lines by the words they can hold."""

    def __init__(self, grammar: Grammar, lines: Iterable[tuple[Heard, Alternative]]) -> None:
        self.entries = [(heard, frozenset(_words_in(line.parts, grammar, 0))) for heard, line in lines]
        documents = Counter(word for _, words in self.entries for word in words)
        self.weight = {word: math.log(1 + len(self.entries) / times) for word, times in documents.items()}
        self._holding: dict[str, list[int]] = defaultdict(list)
        self._total: list[float] = []
        for number, (_, words) in enumerate(self.entries):
            self._total.append(sum(self.weight[word] for word in words))
            for word in words:
                self._holding[word].append(number)

    def most_like(self, text: str) -> Iterator[Heard]:
        """Exchanges in order of likeness, each once."""
        heard = {word for word in _WORDS.findall(text.lower()) if word in self.weight}
        said = sum(self.weight[word] for word in heard) or 1.0
        shared: defaultdict[int, float] = defaultdict(float)
        for word in heard:
            for number in self._holding[word]:
                shared[number] += self.weight[word]
        score = {number: both / (said + _WEIGHT_OF_UNSAID * self._total[number]) for number, both in shared.items()}
        given: set[int] = set()
        for number in sorted(score, key=lambda number: (-score[number], number)):
            exchange = self.entries[number][0]
            if id(exchange) not in given:
                given.add(id(exchange))
                yield exchange


def heard_exchanges(text: str, domain: str, template: str) -> Iterator[Heard]:
    """Exchanges that fit a call of this template, the one most like an agent's line `text` first."""
    for exchange in _agent_index().most_like(text):
        _, at, place = exchange.kind.partition("@")
        if not at or place in (domain, f"{domain}.{template}"):
            yield exchange


def heard_move(text: str) -> str:
    """Which of the customer's moves the line `text` is."""
    return next(_move_index().most_like(text)).kind


@functools.cache
def _agent_index() -> _Index:
    grammar = shipped_grammar()
    return _Index(grammar, [*_scene_lines(grammar), *_move_lines(grammar)])


@functools.cache
def _move_index() -> _Index:
    grammar = shipped_grammar()
    return _Index(
        grammar, [(Heard(move, ()), line) for move in CUSTOMER_MOVES for line in grammar.rules[f"move_{move}"]]
    )


def _scene_lines(grammar: Grammar) -> Iterator[tuple[Heard, Alternative]]:
    for scenes in grammar.scenes.values():
        for scene in scenes:
            for beat in scene.beats:
                heard = Heard(scene.kind, beat.customer)
                for line in beat.agent:
                    yield heard, line


def _move_lines(grammar: Grammar) -> Iterator[tuple[Heard, Alternative]]:
    """What an agent says in its moves and in answer to the customer's, with what a customer says to that."""
    pairs = [(f"move_{move}_{part}", f"move_{move}_{part}_answer") for move in AGENT_MOVES for part in (1, 2)]
    pairs += [(f"move_{move}_answer", f"move_{move}_ack") for move in CUSTOMER_MOVES]
    for said, answered in pairs:
        heard = Heard(said, grammar.rules[answered])
        for line in grammar.rules[said]:
            yield heard, line


def _words_in(parts: Parts, grammar: Grammar, depth: int) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield from _WORDS.findall(part.lower())
        elif isinstance(part, Choice):
            for option in part.options:
                yield from _words_in(option, grammar, depth)
        elif isinstance(part, RuleReference) and depth < _DEEPEST_RULE:
            for line in grammar.rules[part.name]:
                yield from _words_in(line.parts, grammar, depth + 1)
