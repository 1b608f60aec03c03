"""Finds the known personal facts of a call: in any spelling, said in words, split over turns, or in part."""

from collections.abc import Iterator, Sequence

from tip_assets.quality.pii.call_text import OTHER_LETTERS, CallText
from tip_assets.quality.pii.dates import DateMention, month_name
from tip_assets.quality.pii.digits import Readings
from tip_assets.quality.pii.fact_forms import NAME_PARTICLES, FactForms, compact, forms_of
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.known_numbers import find_codes, find_digits
from tip_assets.quality.pii.names import is_ordinary, stands_like_a_name
from tip_assets.quality.pii.split_dates import MOST_TURNS_APART, split_dates
from tip_assets.quality.pii.street_words import STREET_SUFFIX_WORDS
from tip_assets.quality.pii.triggers import ANY_NUMBER, CONNECTOR, LETTER, Triggers
from tip_resources.domain.persona import PersonalFact

# What a recogniser may write apart: "Mc Donald", "O Neil", "De Luca".
_JOINED_PARTICLES = NAME_PARTICLES | {"mc", "mac", "o"}
# What may join the parts of a user name; nothing, too.
_JOINTS = frozenset({"", ".", "_", "-"})
_SURE_HANDLE = 7


class FactFinder:
    """Searches one call for facts: `turns` says where they could be, `find` looks there once tokens are made."""

    def __init__(self, call: CallText, readings: Readings, facts: Sequence[PersonalFact]) -> None:
        self.call = call
        self._readings = readings
        self._forms = [forms_of(fact) for fact in facts]
        self._unsaid: frozenset[bytes] = frozenset()

    def turns(self, triggers: Triggers) -> set[int]:
        """The turns that could hold a fact or a piece of one."""
        turns = set(triggers.turns(ANY_NUMBER, LETTER, CONNECTOR))
        said = compact(self.call.ascii)
        needles = {needle for forms in self._forms for needle in forms.needles}
        turns_with = {needle: tuple(_turns_with(needle, said)) for needle in needles}
        turns.update(*turns_with.values())
        if self.call.text.isascii() or not (others := list(OTHER_LETTERS.finditer(self.call.text))):
            self._unsaid = frozenset([needle for needle in needles if not turns_with[needle]])
        else:
            # Folding a letter may give two or none, so these turns are compared token by token.
            turns |= {self.call.turn_at(match.start()) for match in others}
        # A month alone announces nothing, but its day may be said in a turn nearby.
        for month in {date[1] for forms in self._forms for date in forms.dates}:
            for turn in _turns_with(month_name(month).encode(), said):
                turns.update(
                    range(max(0, turn - MOST_TURNS_APART), min(len(self.call.turns), turn + MOST_TURNS_APART + 1))
                )
        return turns

    def find(self) -> Iterator[Found]:
        """Yields every place of every fact; places may overlap."""
        for forms in self._forms:
            for first, last in self._token_ranges(forms):
                yield Found(self.call.starts[first], self.call.ends[last], forms.type, True)
            for start, end in self._offset_ranges(forms):
                yield Found(start, end, forms.type, True)
            if forms.dates:
                yield from split_dates(self.call, ((month, day) for _, month, day in forms.dates), forms.type)

    def _token_ranges(self, forms: FactForms) -> Iterator[tuple[int, int]]:
        written = self.call.written.text
        yield from self._names(forms.words)
        for handle in forms.handles:
            yield from self._handle(handle)
        for phrase in forms.phrases:
            if phrase.needle not in self._unsaid and phrase.text in written:
                yield from self._phrase(phrase.words, phrase.text, is_name=forms.is_name)
        for form in forms.joined:
            for first, last in self.call.spoken.find(form):
                if not self._begins_with_a_contraction(first):
                    yield first, last
        for number in forms.numbers:
            yield from find_digits(self._readings.digits, number)
        for code in forms.codes:
            yield from find_codes(self._readings.codes, code)

    def _offset_ranges(self, forms: FactForms) -> Iterator[tuple[int, int]]:
        if forms.dates:
            for mention in self._readings.dates:
                if any(_is_same_date(mention, date) for date in forms.dates):
                    yield mention.start, mention.end
        for literal in forms.literals:
            start = self.call.text.find(literal)
            while start >= 0:
                yield start, start + len(literal)
                start = self.call.text.find(literal, start + len(literal))

    def _names(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Single words of a name: as written, hyphenated, with an apostrophe, or spelled S-M-I-T-H."""
        parts = frozenset(words)
        for word in words:
            for first, last in self.call.written.find(word):
                if first == last:
                    if not is_ordinary(word) or stands_like_a_name(self.call, first, self._is_beside(first, parts)):
                        yield first, last
                elif self._is_one_name(first, last):
                    yield first, last

    def _handle(self, handle: str) -> Iterator[tuple[int, int]]:
        """Words of a name run together as in a user name, with the digits that touch them."""
        words, gaps = self.call.words, self.call.gaps
        for first, last in self.call.written.find(handle):
            if any(gaps[token] not in _JOINTS for token in range(first + 1, last + 1)):
                continue
            start, end = first, last
            if first and gaps[first] in _JOINTS and words[first - 1].isdigit():
                start -= 1
            if last + 1 < len(words) and gaps[last + 1] in _JOINTS and words[last + 1].isdigit():
                end += 1
            # "S. Will" run together is "swill": a short one needs a digit or a mark to be a name.
            if len(handle) >= _SURE_HANDLE or (start, end) != (first, last) or first != last:
                yield start, end

    def _begins_with_a_contraction(self, token: int) -> bool:
        """Whether the token is the s of "it's", which belongs to no code."""
        return len(self.call.words[token]) == 1 and self.call.gaps[token] in ("'", "\u2019")

    def _is_beside(self, token: int, parts: frozenset[str]) -> bool:
        """Whether another word of the same name stands next to the token, an initial between allowed."""
        for step in (-1, 1):
            for distance in (1, 2):
                other = token + step * distance
                if not 0 <= other < len(self.call.words) or self._is_apart(min(token, other), max(token, other)):
                    break
                if self.call.words[other] in parts and self.call.words[other] != self.call.words[token]:
                    return True
                if len(self.call.words[other]) > 1:
                    break
        return False

    def _is_apart(self, first: int, last: int) -> bool:
        return any(self.call.gaps[token].strip(" .'-\u2019") for token in range(first + 1, last + 1))

    def _is_one_name(self, first: int, last: int) -> bool:
        """Whether several tokens make one name: all letters spelled out, or joined without a space."""
        tokens = range(first, last + 1)
        if all(len(self.call.words[token]) == 1 for token in tokens):
            return True
        if not any(" " in self.call.gaps[token] for token in range(first + 1, last + 1)):
            return True
        has_particle = any(self.call.words[token] in _JOINED_PARTICLES for token in tokens)
        return has_particle and (self.call.is_capitalised(first) or not self.call.has_capitals(first))

    def _phrase(self, words: list[str], text: str, *, is_name: bool) -> Iterator[tuple[int, int]]:
        """A run of words as they are; one word alone is judged like a name where it is an ordinary word."""
        for first, last in self.call.written.find(text):
            if self.call.words[first : last + 1] != words:
                continue
            if len(words) == 1 and is_ordinary(words[0]) and not stands_like_a_name(self.call, first, False):
                continue
            following = self.call.next_in_turn(last)
            ends_a_street = following is not None and self.call.words[following] in STREET_SUFFIX_WORDS and not is_name
            yield first, last + (ends_a_street and any(word.isdigit() for word in words))


def _turns_with(wanted: bytes, compact: bytes) -> Iterator[int]:
    """The numbers of the stretches between zero bytes in which `wanted` stands."""
    turn, counted = 0, 0
    position = compact.find(wanted)
    while position >= 0:
        turn += compact.count(b"\0", counted, position)
        yield turn
        counted = compact.find(b"\0", position)
        position = compact.find(wanted, counted) if counted >= 0 else -1


def _is_same_date(mention: DateMention, date: tuple[int | None, int, int]) -> bool:
    year, month, day = date
    if mention.year is not None and year is not None and mention.year % 100 != year % 100:
        return False
    if mention.day is None:
        return mention.month == month and mention.year is not None and year is not None
    return (mention.month, mention.day) in ((month, day), (day, month))
