"""Made-up addresses: another house number, street, city and ZIP in the same form; the state stays."""

import re

from tip_assets.planning.draws import Draws, Key
from tip_assets.planning.people.places import STATE_NAMES
from tip_assets.quality.pii.call_text import fold
from tip_assets.quality.pii.fact_forms import STREET_SUFFIX_WORDS
from tip_assets.quality.pii.surrogate_codes import like_case, made_up_code, pieces_of, say_again
from tip_assets.quality.pii.surrogate_names import NotImitable
from tip_assets.quality.pii.surrogate_words import pool, words_under

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_STATES = frozenset(word for state in STATE_NAMES.items() for part in state for word in fold(part).split())
# USPS: no ZIP code begins with 000 to 004.
_UNUSED_ZIP = "00"
_ZIP_LENGTH = 5


class PlaceBook:
    """The places of one call and what stands for them, by phrase: "Grand Rapids" is one place."""

    def __init__(self, key: tuple[Key, ...], taken: frozenset[str]) -> None:
        self._key = key
        self._taken = taken
        self._fakes: dict[str, str] = {}

    def again(self, text: str) -> str:
        """The mention with other places and numbers in the same form.

        Raises:
            NotImitable: It is written in another script.
        """
        if not all(char.isascii() for char in fold(text) if char.isalpha()):
            raise NotImitable
        said, end = [], 0
        for start, stop in self._phrases(text):
            said.append(self._numbers(text[end:start]))
            said.append(self._phrase(text[start:stop], text[stop:]))
            end = stop
        said.append(self._numbers(text[end:]))
        return "".join(said)

    def _phrases(self, text: str) -> list[tuple[int, int]]:
        """Runs of words that name a place; number words and kept words end them."""
        said = [(piece.start, piece.end) for piece in pieces_of(text) if piece.kind in ("digits", "words")]
        found: list[tuple[int, int]] = []
        for match in _WORD.finditer(text):
            if _is_kept(fold(match.group())) or any(start <= match.start() < end for start, end in said):
                continue
            # The letter of "Apt 3B" is part of the unit; _numbers has it.
            if match.start() and text[match.start() - 1].isdigit() and len(match.group()) <= 2:
                continue
            if found and text[found[-1][1] : match.start()].isspace():
                found[-1] = (found[-1][0], match.end())
            else:
                found.append(match.span())
        return found

    def _phrase(self, phrase: str, following: str) -> str:
        plain = fold(phrase)
        if len(plain) == 1:
            return like_case(phrase, made_up_code(plain, "UNIT", frozenset(), *self._key))
        if plain not in self._fakes:
            after = _WORD.match(following.lstrip())
            is_street = after is not None and fold(after.group()) in STREET_SUFFIX_WORDS
            names = pool("streets" if is_street else "cities")
            start = Draws(*self._key, "place", plain).below(len(names))
            used = set(self._fakes.values())
            order = [names[(start + step) % len(names)] for step in range(len(names))]
            free = [name for name in order if name not in used and name.lower() not in self._taken]
            if not free:
                raise NotImitable
            self._fakes[plain] = free[0]
        return like_case(phrase, self._fakes[plain])

    def _numbers(self, text: str) -> str:
        pieces = [piece for piece in pieces_of(text) if piece.kind in ("digits", "words")]
        if not pieces:
            return self._unit_letters(text)
        code = "".join(piece.value for piece in pieces)
        return self._unit_letters(say_again(text, pieces, self._number(code)))

    def _number(self, code: str) -> str:
        if len(code) == _ZIP_LENGTH:
            return _UNUSED_ZIP + made_up_code(code[2:], "ZIP", frozenset(), *self._key)
        return made_up_code(code, "HOUSE_NUMBER", frozenset(), *self._key)

    def _unit_letters(self, text: str) -> str:
        """3B as 7F."""

        def other(match: re.Match[str]) -> str:
            letter = made_up_code(match.group().lower(), "UNIT", frozenset(), *self._key)
            return like_case(match.group(), letter)

        return re.sub(r"(?<=\d)[A-Za-z]\b", other, text)


def _is_kept(word: str) -> bool:
    return word in STREET_SUFFIX_WORDS or word in _STATES or word in words_under("in_addresses")
