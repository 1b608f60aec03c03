"""Sets of calls to plant duplicates in, written by a grammar of contact-centre calls.

The grammar knows nothing of how duplicates are found. Its calls are as alike as real ones of a contact centre: the
same openings, checks and closings, frequent sentences said by everybody, a few words in most calls and many in few.
"""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

import yaml
from faker.providers.lorem.en_US import Provider as Words
from faker.providers.person.en_US import Provider as People

from tip_resources.domain.conversation import Turn

Turns = tuple[Turn, ...]

# How the text of a writer looks: as typed, without capitals and marks as from speech recognition, with hesitations.
STYLES = ("typed", "recognised", "spoken")
_FILLERS = ("um", "uh", "you know", "I mean", "well", "so")
_EXCHANGES = {"short": (2, 4), "usual": (5, 9)}


def grammar_calls(count: int, seed: int, length: str = "usual", style: str | None = None) -> Iterator[Turns]:
    """`count` calls of about 0.7 kB ("short") or 1.2 kB ("usual"), the same for the same seed.

    Args:
        count: Calls.
        seed: Another seed gives other calls of the same grammar.
        length: A key of the lengths above.
        style: One of STYLES, or None for a mixture.
    """
    rng = random.Random(seed)
    grammar = _grammar()
    for _ in range(count):
        writer = _Writer(grammar, rng, style or rng.choice(STYLES))
        yield tuple(writer.call(rng.randint(*_EXCHANGES[length])))


@cache
def _grammar() -> Mapping[str, Sequence[str]]:
    text = files("benchmarks.quality").joinpath("near_duplicates_grammar.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@cache
def _falling(size: int) -> tuple[float, ...]:
    """Cumulative weights in which the n-th of `size` comes 1/n as often as the first (Zipf's law)."""
    return tuple(itertools.accumulate(1 / rank for rank in range(1, size + 1)))


class _Writer:
    """Writes one call: whom it is with, what it is about, and in which style."""

    def __init__(self, grammar: Mapping[str, Sequence[str]], rng: random.Random, style: str) -> None:
        self._rng = rng
        self._grammar = grammar
        self._style = style
        self._domain = rng.choice([name[len("things ") :] for name in grammar if name.startswith("things ")])
        # What a call is about comes up again and again in it.
        self._topics = [self._often(f"things {self._domain}") for _ in range(2)]
        self._name = f"{rng.choice([*People.first_names_female])} {rng.choice([*People.last_names])}"
        self._agent = rng.choice([*People.first_names_male])

    def call(self, exchanges: int) -> Iterator[Turn]:
        yield self._turn("agent", "opening")
        yield self._turn("customer", "reason")
        yield self._turn("agent", "ask name")
        yield self._turn("customer", "give name")
        for _ in range(exchanges):
            yield self._turn("agent", "agent")
            yield self._turn("customer", "customer")
        yield self._turn("agent", "anything else")
        yield self._turn("customer", "closing customer")
        if self._rng.random() < 0.7:
            yield self._turn("agent", "closing agent")

    def _turn(self, speaker: str, kind: str) -> Turn:
        text = self._filled(self._often(kind))
        if kind in ("agent", "customer") and self._rng.random() < 0.35:
            text = f"{text} {self._filled(self._often(kind))}"
        if self._style == "recognised":
            text = text.lower().translate({ord(mark): None for mark in ".,?!"})
        elif self._style == "spoken" and self._rng.random() < 0.3:
            text = f"{self._rng.choice(_FILLERS).capitalize()}, {text[0].lower()}{text[1:]}"
        return Turn(speaker="agent" if speaker == "agent" else "customer", text=text)

    def _often(self, kind: str) -> str:
        choices = self._grammar[kind]
        return self._rng.choices(choices, cum_weights=_falling(len(choices)))[0]

    def _filled(self, sentence: str) -> str:
        parts = sentence.split("{")
        return parts[0] + "".join(self._slot(*part.split("}", 1)) for part in parts[1:])

    def _slot(self, slot: str, rest: str) -> str:
        rng = self._rng
        if slot == "thing":
            said = rng.choice(self._topics) if rng.random() < 0.6 else self._often(f"things {self._domain}")
        elif slot == "name":
            said = self._name
        elif slot == "agent":
            said = self._agent
        elif slot == "number":
            said = str(rng.randrange(10, 10 ** rng.randint(2, 8)))
        elif slot == "money":
            said = f"${rng.randrange(5, 900)}.{rng.randrange(100):02}"
        elif slot == "free":
            said = " ".join(
                rng.choices(Words.word_list, cum_weights=_falling(len(Words.word_list)), k=rng.randint(2, 6))
            )
        else:
            said = self._often(slot)
        return f"{said}{rest}"
