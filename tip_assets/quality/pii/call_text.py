"""One call laid out for searching: a single text, its tokens, and compact streams with the way back.

A stream is the tokens run together without spaces or punctuation, one line per turn, so that
"(415) 555-2671", "415.555.2671" and, in the number stream, "four one five ..." read the same. Matches are
taken back to tokens, and so to offsets in the original text.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate

from tip_assets.quality.pii.scan import as_ascii
from tip_assets.quality.pii.spoken import Piece, read_numbers, symbol_places
from tip_resources.domain.conversation import Turn

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_TOKENS = re.compile(r"([^\W\d_]+|\d+)")
# The same for lower-case ASCII, in a fifth of the time: it begins with a class of characters, which `re` skips to.
_PLAIN_TOKENS = re.compile("([a-z0-9](?:(?<=[a-z])[a-z]*|[0-9]*))")
# All but ASCII and typographic punctuation.
OTHER_LETTERS = re.compile(r"[^\x00-\x7f\u2000-\u206f]")
# Between two turns: neither a word character nor white space, so no pattern reaches across.
TURN_SEPARATOR = "\x00"
_TAG = re.compile(r"\[[A-Z][A-Z0-9_]{1,40}\]")
_STREAM_TURN_END = "\n"
# Said between the parts of an email address; written as symbols, which are no tokens.
_CONNECTORS = frozenset({"at", "dot", "underscore", "dash", "hyphen"})
_CAPITAL = re.compile("[A-HJ-Z]")


def _has_a_capital(text: str) -> bool:
    """Whether a letter but the word "I" is written as a capital."""
    return bool(_CAPITAL.search(text)) or (not text.isascii() and any(char.isupper() and char != "I" for char in text))


def _blank(tag: re.Match[str]) -> str:
    return TURN_SEPARATOR * len(tag.group())


def fold(text: str) -> str:
    """Case and accents removed, digits of any script as 0 to 9: "Jos\u00e9" is "jose"."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = [char for char in decomposed if not unicodedata.combining(char)]
    return "".join([str(unicodedata.decimal(char)) if char.isdecimal() else char for char in kept])


class Stream:
    """Tokens run together; `find` gives the first and last token of every match that keeps token borders."""

    def __init__(self, tokens: Sequence[str], last_of: Mapping[int, int]) -> None:
        """Lays the tokens out.

        Args:
            tokens: In order; one that begins a turn has a line end before it, which no match reaches across.
            last_of: The last of the tokens that were read as one, by the first, which stands for all of them.
        """
        self.text = "".join(tokens)
        self._ends = list(accumulate(map(len, tokens)))
        self._last_of = last_of

    def find(self, wanted: str) -> Iterator[tuple[int, int]]:
        """Yields (first token, last token) of every place where `wanted` stands between borders."""
        text, ends = self.text, self._ends
        start = text.find(wanted) if wanted else -1
        while start >= 0:
            last = bisect_left(ends, start + len(wanted))
            if ends[last] == start + len(wanted):
                first = bisect_right(ends, start)
                begins = ends[first - 1] if first else 0
                if start - begins == (text[begins] == _STREAM_TURN_END):
                    yield first, self._last_of.get(last, last)
            start = text.find(wanted, start + 1)


class CallText:
    """The searchable layout of a call's turns; offsets are into `text` until `turn_at` takes them to a turn.

    Without `tokenised` only turns that are asked for later (`tokenise`) have tokens, in the order of the call; most
    turns hold nothing that a detector needs tokens for. Tags of an earlier redaction are blanked out: nothing is
    found in them, and they announce nothing.
    """

    def __init__(self, turns: Sequence[Turn], *, tokenised: bool = True) -> None:
        self.turns = turns
        self.text = TURN_SEPARATOR.join([turn.text for turn in turns])
        if self.text.count(TURN_SEPARATOR) >= len(turns):
            self.text = TURN_SEPARATOR.join([turn.text.replace(TURN_SEPARATOR, " ") for turn in turns])
        if "[" in self.text:
            self.text = _TAG.sub(_blank, self.text)
        lengths = [len(turn.text) + 1 for turn in turns]
        self.turn_starts = [0, *accumulate(lengths[:-1])] if lengths else []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.words: list[str] = []
        # What stands before each token; at the start of a turn with a mark of the border in it.
        self.gaps: list[str] = []
        self.turn_of_token: list[int] = []
        # The first tokens of the turns that have any.
        self.turn_begins: list[int] = []
        if tokenised:
            self.tokenise(range(len(turns)))

    @classmethod
    def of_text(cls, text: str) -> "CallText":
        """One tokenised turn that says `text`."""
        return cls((Turn(speaker="customer", text=text),))

    def tokenise(self, turns: Sequence[int]) -> None:
        """Makes the tokens of these turns; to be called once, with turns in ascending order."""
        # With the other turns blanked out an offset stays an offset into the text.
        shown: list[str] = []
        position = 0
        for turn in turns:
            start, end = self.turn_range(turn)
            shown += (TURN_SEPARATOR * (start - position), self.text[start:end])
            position = end
        said = "".join(shown)
        is_plain = said.isascii() or not OTHER_LETTERS.search(said)
        # Gap, token, gap, token, ..., gap; done in C, for this is where the time goes.
        pieces = _PLAIN_TOKENS.split(said.lower()) if is_plain else _TOKENS.split(said)
        borders = list(accumulate(map(len, pieces)))
        self.starts = borders[:-1:2]
        self.ends = borders[1::2]
        self.gaps = pieces[:-1:2]
        # A letter that folds to nothing (a lone mark) still needs a token, or indices would shift.
        self.words = pieces[1::2] if is_plain else [fold(word) or "?" for word in pieces[1::2]]
        first = 0
        for turn in turns:
            following = bisect_left(self.starts, self.turn_range(turn)[1], first)
            self.turn_of_token += [turn] * (following - first)
            if first < following:
                self.turn_begins.append(first)
            first = following

    def turn_range(self, turn: int) -> tuple[int, int]:
        """Where a turn's text begins and ends."""
        start = self.turn_starts[turn]
        return start, start + len(self.turns[turn].text)

    @cached_property
    def symbol_places(self) -> list[int]:
        """The tokens that could be numbers or letters of a code."""
        return symbol_places(self.words)

    @cached_property
    def numbers(self) -> list[Piece]:
        """The tokens that are numbers, number words read as digits."""
        return read_numbers(self.words, self.gaps, self.symbol_places)

    @cached_property
    def number_at(self) -> dict[int, Piece]:
        """The numbers by their first token."""
        return {number.first: number for number in self.numbers}

    @cached_property
    def number_to(self) -> dict[int, Piece]:
        """The numbers by their last token."""
        return {number.last: number for number in self.numbers}

    @cached_property
    def written(self) -> Stream:
        """The tokens as they are written."""
        return Stream(self._line_by_line(self.words), {})

    @cached_property
    def spoken(self) -> Stream:
        """The tokens with numbers as digits, without "at" and "dot"."""
        last_of = {number.first: number.last for number in self.numbers}
        return Stream(self._line_by_line(_with_numbers(self.words, self.numbers)), last_of)

    def _line_by_line(self, pieces: Sequence[str]) -> Sequence[str]:
        lines = list(pieces)
        for first in self.turn_begins:
            lines[first] = _STREAM_TURN_END + lines[first]
        return lines

    @cached_property
    def ascii(self) -> bytes:
        """The text in ASCII, as long as `text` itself; see `as_ascii`."""
        return as_ascii(self.text)

    @cached_property
    def plain(self) -> str:
        """The text in lower-case ASCII, as long as `text` itself."""
        return self.ascii.decode("ascii").lower()

    @cached_property
    def token_at(self) -> dict[int, int]:
        """The token that begins at an offset."""
        return {start: token for token, start in enumerate(self.starts)}

    @cached_property
    def _speakers_with_capitals(self) -> frozenset[str]:
        without = {turn.speaker for turn in self.turns}
        speakers = frozenset(without)
        for turn in self.turns:
            if turn.speaker in without and _has_a_capital(turn.text):
                without.discard(turn.speaker)
                if not without:
                    break
        return speakers - without

    @property
    def has_speakers_without_capitals(self) -> bool:
        """Whether anyone is written in lower case throughout, as speech recognition often does."""
        with_capitals = self._speakers_with_capitals
        return any([turn.speaker not in with_capitals for turn in self.turns if turn.text])

    def original(self, token: int) -> str:
        """A token as it is written."""
        return self.text[self.starts[token] : self.ends[token]]

    def is_capitalised(self, token: int) -> bool:
        """Whether the token begins with a capital letter."""
        return self.text[self.starts[token]].isupper()

    def has_capitals(self, token: int) -> bool:
        """Whether the token's speaker is written with capitals at all; recognised speech often is not."""
        return self.turns[self.turn_of_token[token]].speaker in self._speakers_with_capitals

    def has_capitals_at(self, offset: int) -> bool:
        """As `has_capitals`, for whoever speaks at an offset."""
        return self.turns[self.turn_at(offset)].speaker in self._speakers_with_capitals

    def starts_sentence(self, token: int) -> bool:
        """Whether the token is the first of its turn or follows the end of a sentence."""
        if token == 0 or self.turn_of_token[token - 1] != self.turn_of_token[token]:
            return True
        return any(mark in self.gaps[token] for mark in ".!?\n")

    def next_in_turn(self, token: int) -> int | None:
        """The following token when it is in the same turn."""
        following = token + 1
        if following < len(self.words) and self.turn_of_token[following] == self.turn_of_token[token]:
            return following
        return None

    def previous_in_turn(self, token: int) -> int | None:
        """The token before when it is in the same turn."""
        before = token - 1
        if before >= 0 and self.turn_of_token[before] == self.turn_of_token[token]:
            return before
        return None

    def asked_before(self, turn: int, reach: int) -> str:
        """The last `reach` characters of the turn before; nothing before the first."""
        if turn == 0:
            return ""
        end = self.turn_starts[turn] - 1
        return self.text[max(self.turn_starts[turn - 1], end - reach) : end]

    def said_around(self, offset: int, reach: int) -> str:
        """The text up to `reach` characters before and after an offset in its turn, and the end of the turn before.

        Bounded, so that looking around every match of a very long turn stays cheap.
        """
        turn = self.turn_at(offset)
        start = self.turn_starts[turn]
        end = start + len(self.turns[turn].text)
        return f"{self.asked_before(turn, reach)}\n{self.text[max(start, offset - reach) : min(end, offset + reach)]}"

    def said_before(self, offset: int, reach: int) -> str:
        """As `said_around`, without what follows the offset."""
        turn = self.turn_at(offset)
        return f"{self.asked_before(turn, reach)}\n{self.text[max(self.turn_starts[turn], offset - reach) : offset]}"

    def turn_at(self, offset: int) -> int:
        """The turn that an offset into `text` lies in."""
        return bisect_right(self.turn_starts, offset) - 1


def text_form(text: str) -> str:
    """`text` as the written stream shows it: letters and digits run together."""
    return "".join(fold(token) for token in _TOKEN.findall(text))


@lru_cache(maxsize=8192)
def number_form(text: str) -> str:
    """`text` as the number stream shows it: number words as digits, connectors left out."""
    pieces = _TOKENS.split(fold(text))
    words = pieces[1::2]
    return "".join(_with_numbers(words, read_numbers(words, pieces[:-1:2])))


def _with_numbers(words: Sequence[str], numbers: Sequence[Piece]) -> list[str]:
    """The tokens with numbers as digits at their first token; nothing for their other tokens and for connectors."""
    said = list(words) if _CONNECTORS.isdisjoint(words) else ["" if word in _CONNECTORS else word for word in words]
    for number in numbers:
        said[number.first] = number.text
        for token in range(number.first + 1, number.last + 1):
            said[token] = ""
    return said
