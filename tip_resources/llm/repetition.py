"""Tells a model that is caught in a loop from one that talks, while the answer streams. Pure.

Two signs: the text is periodic, letter for letter, over a long stretch; or it says the same few sentences again
and again with something small between them (a counter, a speaker's name). The keys of JSON, which stand in every
turn, are neither a stretch nor a sentence. A finished item is progress, so only the item under way is looked at.
"""

import re

_CHECK_CHARACTERS = 1_000  # new text between two looks
_WINDOW = 6_000
_LEAST_PERIODS = 6
_LONGEST_PERIOD = _WINDOW // _LEAST_PERIODS
_LEAST_STRETCH = 2_000
_PROBE = 48
_SENTENCE = re.compile(r'[^.!?"\n]{20,}')
_LEAST_SENTENCES = 24
_LEAST_TIMES_EACH = 8


class RepetitionWatch:
    """Hears the text as it comes; `is_repeating` once it goes round in circles. Costs a look per 1,000 characters."""

    def __init__(self) -> None:
        self.is_repeating = False
        self._heard: list[str] = []
        self._new = 0

    def hear(self, text: str) -> None:
        """Takes the next piece of the answer."""
        self._heard.append(text)
        self._new += len(text)
        if self._new < _CHECK_CHARACTERS:
            return
        recent = "".join(self._heard)[-_WINDOW:]
        self._heard, self._new = [recent], 0
        self.is_repeating = repeats_itself(recent)

    def item_closed(self) -> None:
        """An item is whole: what was said in it is over."""
        self._heard, self._new, self.is_repeating = [], 0, False


def repeats_itself(text: str) -> bool:
    """Whether `text` ends in a loop: at least 6 times the same, or hardly anything but the same few sentences."""
    return _is_periodic(text) or _is_stuck(text)


def _is_periodic(text: str) -> bool:
    """Whether the end of `text`, 2,000 characters or 6 periods, whichever is more, repeats letter for letter."""
    probe = text[-_PROBE:]
    first = max(0, len(text) - _PROBE - _LONGEST_PERIOD)
    end = len(text) - 1
    while (at := text.rfind(probe, first, end)) >= 0:
        period = len(text) - _PROBE - at
        stretch = max(_LEAST_PERIODS * period, _LEAST_STRETCH)
        if stretch <= len(text) and text[len(text) - stretch + period :] == text[len(text) - stretch : -period]:
            return True
        end = at + _PROBE - 1
    return False


def _is_stuck(text: str) -> bool:
    sentences = [found for found in map(str.strip, _SENTENCE.findall(text)) if " " in found]
    return len(sentences) >= max(_LEAST_SENTENCES, _LEAST_TIMES_EACH * len(set(sentences)))
