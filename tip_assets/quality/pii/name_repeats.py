"""A name once found is found again: every other place of the call where one of its words stands like a name."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.names import is_ordinary, stands_like_a_name
from tip_assets.quality.word_lists import word_list

_NO_NAME = word_list("pii", "no_name")
_WORD = re.compile(r"[a-z]{2,}")


class Repeat(NamedTuple):
    """A place where a word of a known name stands; an ordinary word has to be judged by its tokens."""

    start: int
    end: int
    is_ordinary: bool


def words_of(call: CallText, names: Iterable[Found]) -> set[str]:
    """The words of names, in lower-case ASCII."""
    return {word for name in names for word in _WORD.findall(call.plain, name.start, name.end)} - _NO_NAME


def repeats(call: CallText, words: Iterable[str]) -> list[Repeat]:
    """Every place where a word of a name stands as a whole word, capitalised where its speaker has capitals."""
    return [mention for word in words for mention in _places(call, word)]


def _places(call: CallText, word: str) -> Iterator[Repeat]:
    text, plain, ordinary = call.text, call.plain, is_ordinary(word)
    start = plain.find(word)
    while start >= 0:
        end = start + len(word)
        is_whole = not (plain[start - 1 : start].isalpha() or plain[end : end + 1].isalpha())
        if is_whole and (text[start].isupper() or not call.has_capitals_at(start)):
            yield Repeat(start, end, ordinary)
        start = plain.find(word, end)


def judged(call: CallText, found: Sequence[Repeat]) -> Iterator[Found]:
    """Yields the mentions that are names; the turns of ordinary words have to be tokenised."""
    for mention in found:
        if mention.is_ordinary:
            token = call.token_at.get(mention.start)
            if token is None or not stands_like_a_name(call, token, beside_the_rest=False):
                continue
        yield Found(mention.start, mention.end, "NAME", False)
