"""Edits that plant near-duplicates in a set of calls, and what only looks like one.

Nothing here knows how duplicates are found. Each edit takes a call's turns and a random source.
"""

import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tip_resources.domain.conversation import Turn

Turns = tuple[Turn, ...]

_NAMES = [
    "Amara",
    "Priya",
    "Tobias",
    "Ingrid",
    "Mateus",
    "Yusuf",
    "Leilani",
    "Bronwyn",
    "Cedric",
    "Dimitri",
    "Esperanza",
    "Fiona",
    "Gunnar",
    "Hyun",
    "Ivana",
    "Jerome",
    "Kwame",
    "Lucinda",
    "Marisol",
    "Nadia",
    "Octavio",
    "Paloma",
    "Quentin",
    "Rosalind",
    "Santiago",
    "Tamika",
    "Ulrich",
    "Valentina",
    "Winston",
    "Ximena",
    "Abernathy",
    "Barreto",
    "Castellano",
    "Delacroix",
    "Eriksson",
    "Fitzgerald",
    "Gallagher",
    "Haddad",
    "Ishikawa",
    "Jankowski",
    "Kowalczyk",
    "Lindqvist",
    "Moriarty",
    "Nakamura",
    "Okonkwo",
    "Petrov",
    "Quintero",
    "Rasmussen",
    "Stavros",
    "Thibodeaux",
    "Underhill",
    "Vasquez",
    "Whitlock",
    "Yamamoto",
    "Zielinski",
    "Springfield",
    "Lakewood",
    "Brookhaven",
    "Fairmont",
    "Ashland",
    "Milford",
]
_NUMBER_WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_TOKEN = re.compile(r"\S+")
_INNER_CAPITAL = re.compile(r"(?<=[a-z,;'] )[A-Z][a-z]{2,}")
_DIGIT = re.compile(r"\d")


def exact(turns: Turns, _rng: random.Random) -> Turns:
    return turns


def case(turns: Turns, rng: random.Random) -> Turns:
    """Other capitals and end marks."""
    change: Callable[[str], str] = rng.choice([str.lower, str.upper, lambda text: text.rstrip(".!") + " ..."])
    return tuple(_said(turn, change(turn.text)) for turn in turns)


class WordEdits:
    """Edits a share of all words in the ways named in `kinds`; new ones are drawn from `vocabulary`."""

    def __init__(
        self, share: float, vocabulary: Sequence[str], kinds: Sequence[str] = ("replace", "insert", "delete")
    ) -> None:
        self._share = share
        self._vocabulary = vocabulary
        self._kinds = kinds

    def __call__(self, turns: Turns, rng: random.Random) -> Turns:
        return tuple(_said(turn, self._edited(turn.text, rng)) for turn in turns)

    def _edited(self, text: str, rng: random.Random) -> str:
        words: list[str] = []
        for word in text.split():
            kind = rng.choice(self._kinds) if rng.random() < self._share else "keep"
            if kind in ("keep", "insert"):
                words.append(word)
            if kind in ("replace", "insert"):
                words.append(rng.choice(self._vocabulary))
        return " ".join(words)


def swapped_words(turns: Turns, rng: random.Random) -> Turns:
    """One word of ten changes places with the next."""
    changed = []
    for turn in turns:
        words = turn.text.split()
        for place in range(len(words) - 1):
            if rng.random() < 0.1:
                words[place], words[place + 1] = words[place + 1], words[place]
        changed.append(_said(turn, " ".join(words)))
    return tuple(changed)


def shuffled(turns: Turns, rng: random.Random) -> Turns:
    """Every turn stands anywhere."""
    return tuple(rng.sample(turns, len(turns)))


def dropped(turns: Turns, rng: random.Random) -> Turns:
    """One to three turns of ten are gone."""
    gone = set(rng.sample(range(len(turns)), max(1, round(len(turns) * rng.uniform(0.1, 0.3)))))
    return tuple(turn for place, turn in enumerate(turns) if place not in gone)


def reordered(turns: Turns, rng: random.Random) -> Turns:
    """A third of the turns change places."""
    places = rng.sample(range(len(turns)), max(2, len(turns) // 3))
    mixed = list(turns)
    for place, other in zip(places, [*places[1:], places[0]], strict=True):
        mixed[place] = turns[other]
    return tuple(mixed)


def swapped_facts(turns: Turns, rng: random.Random) -> Turns:
    """Every name, number, month and weekday is another one; the same name becomes the same new name."""
    renamed: dict[str, str] = {}

    def other(word: str) -> str:
        bare = word.strip(".,!?;:'\"").removesuffix("'s")
        for kind in (_MONTHS, _DAYS):
            if bare in kind:
                return word.replace(bare, rng.choice(kind))
        if bare.lower() in _NUMBER_WORDS:
            return word.replace(bare, rng.choice(_NUMBER_WORDS))
        if bare in renamed:
            return word.replace(bare, renamed[bare])
        return _DIGIT.sub(lambda _: str(rng.randrange(10)), word)

    for turn in turns:
        for name in _INNER_CAPITAL.findall(turn.text):
            if name not in _MONTHS and name not in _DAYS:
                renamed.setdefault(name, rng.choice(_NAMES))
    return tuple(_said(turn, _TOKEN.sub(lambda found: other(found.group()), turn.text)) for turn in turns)


class _Rewordings(NamedTuple):
    phrases: list[tuple[re.Pattern[str], list[str]]]
    words: dict[str, list[str]]


@cache
def _rewordings() -> _Rewordings:
    phrases, words = _Rewordings([], {})
    in_words = False
    for line in files("benchmarks.quality").joinpath("rewordings.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            in_words = line == "[words]"
        elif " = " in line:
            said, choices = line.split(" = ")
            if in_words:
                words[said] = choices.split(" | ")
            else:
                phrases.append((re.compile(rf"\b{said}\b", re.IGNORECASE), choices.split(" | ")))
    return _Rewordings(phrases, words)


def paraphrased(turns: Turns, rng: random.Random) -> Turns:
    """Synonyms and other phrases for most of what has one; some turns cut in two, some joined to the next."""
    rewordings = _rewordings()

    def synonym(found: re.Match[str]) -> str:
        choices = rewordings.words.get(found.group().lower())
        if choices is None or rng.random() > 0.6:
            return found.group()
        chosen = rng.choice(choices)
        return chosen.capitalize() if found.group()[0].isupper() else chosen

    reworded = []
    for turn in turns:
        text = turn.text
        for pattern, choices in rewordings.phrases:
            if rng.random() < 0.8:
                text = pattern.sub(lambda _found, choices=choices: rng.choice(choices), text)
        reworded.append(_said(turn, re.sub(r"[A-Za-z']+", synonym, text)))
    return _cut_and_joined(tuple(reworded), rng)


def _cut_and_joined(turns: Turns, rng: random.Random) -> Turns:
    changed: list[Turn] = []
    for turn in turns:
        words = turn.text.split()
        if changed and changed[-1].speaker == turn.speaker and rng.random() < 0.5:
            changed[-1] = _said(changed[-1], f"{changed[-1].text} {turn.text}")
        elif len(words) > 8 and rng.random() < 0.2:
            middle = rng.randrange(3, len(words) - 3)
            changed += [_said(turn, " ".join(words[:middle])), _said(turn, " ".join(words[middle:]))]
        else:
            changed.append(turn)
    return tuple(changed)


def spliced(first: Turns, second: Turns) -> Turns:
    """The first half of one call and the second half of another: no duplicate of either."""
    return (*first[: len(first) // 2], *second[len(second) // 2 :])


def interleaved(first: Turns, second: Turns) -> Turns:
    """What the agent says in one call, what the caller says in another: no duplicate of either."""
    theirs = iter([turn for turn in second if turn.speaker != "agent"])
    return tuple(turn if turn.speaker == "agent" else next(theirs, turn) for turn in first)


def _said(turn: Turn, text: str) -> Turn:
    return Turn(speaker=turn.speaker, text=text)


Edit = Callable[[Turns, random.Random], Turns]


def further_edits(vocabulary: Sequence[str]) -> dict[str, Edit]:
    """Edits of other kinds than the usual ones; foreign words are of no language."""
    foreign = [
        f"{first}{middle}{last}" for first in "bdgkmprtvz" for middle in "aeiou" for last in ("ncu", "lix", "dro")
    ]
    return {
        "20 % replaced": WordEdits(0.2, vocabulary, ("replace",)),
        "20 % deleted": WordEdits(0.2, vocabulary, ("delete",)),
        "20 % foreign": WordEdits(0.2, foreign),
        "swapped words": swapped_words,
        "shuffled turns": shuffled,
    }


def edits(vocabulary: Sequence[str]) -> dict[str, Edit]:
    """Every usual edit by name. `vocabulary` is where new words come from: words of the set, as often as said."""
    return {
        "exact": exact,
        "case": case,
        "10 % of words": WordEdits(0.1, vocabulary),
        "20 % of words": WordEdits(0.2, vocabulary),
        "dropped turns": dropped,
        "reordered turns": reordered,
        "names and numbers": swapped_facts,
        "paraphrase": paraphrased,
    }
