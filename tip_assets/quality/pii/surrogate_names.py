"""Made-up names: one fake word for every word of a name, the same through a call, spelled where it was spelled.

The names come from surrogate_words.txt. They are in none of the lists personas are drawn from, so that a
surrogate is never taken for somebody's name that was left.
"""

import functools
import re
from collections.abc import Iterable
from typing import Literal

from tip_assets.planning.draws import Draws, Key
from tip_assets.quality.pii.call_text import fold
from tip_assets.quality.pii.surrogate_codes import example_of, like_case
from tip_assets.quality.pii.surrogate_words import pool, words_under

Role = Literal["female", "male", "last"]
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]{2,})*")
_BEFORE_AN_EXAMPLE = re.compile(r"\s+(?:as\s+in|for|like|as)\s+([^\W\d_](?:-[^\W\d_]+)?[^\W\d_]*)", re.IGNORECASE)


class NotImitable(Exception):
    """A mention in a script or a form that no surrogate is made for; its type tag is written instead."""


@functools.cache
def _known_first_names() -> tuple[frozenset[str], frozenset[str]]:
    """Female and male first names that Faker knows in English and Spanish; loaded when first asked."""
    from faker.providers.person.en_US import Provider as English
    from faker.providers.person.es_MX import Provider as Spanish

    female = {fold(name) for lists in (English, Spanish) for name in lists.first_names_female}
    male = {fold(name) for lists in (English, Spanish) for name in lists.first_names_male}
    return frozenset(female), frozenset(male)


class NameBook:
    """The names of one call and what stands for them. First `learn` every mention, then `again` each of them."""

    def __init__(self, key: tuple[Key, ...], taken: Iterable[str]) -> None:
        self._key = key
        self._taken = set(taken)
        self._roles: dict[str, Role] = {}
        self._fakes: dict[str, str] = {}

    def learn(self, text: str) -> None:
        """Takes note of the words of one mention: the last is a last name, those before it first names."""
        words = [_plain(match.group()) for match in _WORD.finditer(text)]
        words = [
            word
            for word in words
            if len(word) > 1 and word not in words_under("titles") and word not in words_under("particles")
        ]
        if _is_spelled(text):
            return
        for place, word in enumerate(words):
            is_last = place == len(words) - 1 and len(words) > 1
            if is_last and not re.search(r",\s", text):
                self._roles[word] = "last"
            else:
                self._roles.setdefault(word, _role(word, self._key, could_be_last=len(words) == 1))

    def again(self, text: str) -> str:
        """The mention with other names in the same form.

        Raises:
            NotImitable: It is written in another script.
        """
        if not all(char.isascii() for char in fold(text) if char.isalpha()):
            raise NotImitable
        return self._spelled(text) if _is_spelled(text) else self._written(text)

    def word(self, plain: str) -> str:
        """What stands for one word of a name (lower case, accents removed), with a capital."""
        if plain not in self._fakes:
            role = self._roles.setdefault(plain, _role(plain, self._key, could_be_last=True))
            self._fakes[plain] = self._drawn(plain, role)
        return self._fakes[plain]

    def knows(self, plain: str) -> bool:
        """Whether a word is part of a name of this call."""
        return plain in self._roles

    def initial(self, letter: str) -> str:
        """What stands for an initial: that of the fake of a name which begins so, or another letter."""
        for plain in self._roles:
            if plain[0] == letter and (fake := self.word(plain)[0].lower()) != letter:
                return fake
        return Draws(*self._key, "initial", letter).pick("abcdefghijklmnoprstw".replace(letter, ""))

    def _drawn(self, plain: str, role: Role) -> str:
        names = pool(role)
        start = Draws(*self._key, "name", role, plain).below(len(names))
        used = {fake.lower() for fake in self._fakes.values()} | self._taken
        for step in range(len(names)):
            fake = names[(start + step) % len(names)]
            # "Gregor" would still tell Greg.
            if fake.lower() not in used and plain not in fake.lower():
                return fake
        raise NotImitable

    def _written(self, text: str) -> str:
        said, end = [], 0
        for match in _WORD.finditer(text):
            plain = _plain(match.group())
            gap, end = text[end : match.start()], match.end()
            if plain in words_under("particles"):
                continue
            said.append(gap if said or not gap.isspace() else "")
            if plain in words_under("titles"):
                said.append(match.group())
            elif len(plain) == 1:
                said.append(like_case(match.group(), self.initial(plain)))
            else:
                said.append(like_case(match.group(), self.word(plain)))
        if not said:
            raise NotImitable
        # Digits and signs within a name are none of it; a digit would be a remnant.
        return "".join(said) + re.sub(r"\d", "", text[end:])

    def _spelled(self, text: str) -> str:
        """S-A-N-T-O-S, "S as in Sam, A as in apple": the fake's letters with the same signs between them."""
        bare = without_examples(text)
        letters = "".join(fold(char) for char in re.findall(r"[^\W\d_]", bare))
        fake = self.fragment(letters)
        has_examples = bool(_BEFORE_AN_EXAMPLE.search(text))
        between = re.search(r"(?<=[^\W\d_])[^\w]+(?=[^\W\d_])", bare)
        joint = between.group() if between else " "
        is_upper = next((char.isupper() for char in bare if char.isalpha()), True)
        parts = [letter.upper() if is_upper else letter for letter in fake]
        if has_examples:
            parts = [f"{part} as in {example_of(part.lower())}" for part in parts]
            joint = ", "
        tail = re.search(r"[^\w]*$", text)
        return joint.join(parts) + (tail.group() if tail else "")

    def fragment(self, letters: str) -> str:
        """What stands for letters of a name: its fake's, all of them or the same end of them."""
        whole = next((word for word in sorted(self._roles, key=len, reverse=True) if letters in word), letters)
        fake = self.word(whole).lower()
        if letters == whole:
            return fake
        place = whole.find(letters)
        if place == 0:
            part = fake[: len(letters)]
        elif whole.endswith(letters):
            part = fake[min(place, len(fake) - 1) :]
        else:
            part = fake[place : place + len(letters)] or fake[-1:]
        return part if part != letters else fake


def without_examples(text: str) -> str:
    """ "S as in Sam, A" as "S, A"."""
    return _BEFORE_AN_EXAMPLE.sub("", text)


def _is_spelled(text: str) -> bool:
    tokens = re.findall(r"[^\W\d_]+", without_examples(text))
    singles = sum(len(token) == 1 for token in tokens)
    return (singles >= 2 and singles == len(tokens)) or (singles >= 1 and bool(_BEFORE_AN_EXAMPLE.search(text)))


def _plain(word: str) -> str:
    return fold(word).replace("'", "").replace("\u2019", "")


def _role(word: str, key: tuple[Key, ...], *, could_be_last: bool) -> Role:
    female, male = _known_first_names()
    if word in female and word in male:
        return ("female", "male")[Draws(*key, "gender", word).below(2)]
    if word in female:
        return "female"
    if word in male:
        return "male"
    return "last" if could_be_last else ("female", "male")[Draws(*key, "gender", word).below(2)]
