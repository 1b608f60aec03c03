"""One scan of a call's text for many patterns at once, by Hyperscan where its wheel exists, else by `re`.

Knows nothing of personal data: triggers.py holds the patterns. The text is scanned as ASCII bytes of the same
length, so an offset of a hit is an offset into the text whatever the script is.
"""

import codecs
import re
import threading
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from tip_assets.quality.pii.compiled import compiled

_HANDLER = "tip-same-length"
_LOOKS_LIKE = {
    **dict.fromkeys("\u2018\u2019\u02bc\u00b4", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}


class ScanPattern(NamedTuple):
    """A pattern in the syntax that `re` and Hyperscan share, told by `kind` when it is found."""

    kind: int
    pattern: str
    ignores_case: bool = False


class Scanner(Protocol):
    """Finds which patterns end where; a pattern may be told at several ends of one match."""

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """(kind, end) of the hits in `data`, in no order that is promised."""
        ...


class HyperscanScanner:
    """All patterns as one automaton; a scan is one pass, at some 100 million bytes per CPU second."""

    def __init__(self, patterns: Sequence[ScanPattern]) -> None:
        import hyperscan

        self._database = compiled(patterns)
        self._make_scratch = lambda: hyperscan.Scratch(self._database)
        # Scratch space must not be used by two threads at once.
        self._of_thread = threading.local()

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """See `Scanner`."""
        scratch = getattr(self._of_thread, "scratch", None)
        if scratch is None:
            scratch = self._of_thread.scratch = self._make_scratch()
        hits: list[tuple[int, int]] = []
        append = hits.append
        self._database.scan(
            data, match_event_handler=lambda kind, _, end, __, ___: append((kind, end)), scratch=scratch
        )
        return hits


class ReScanner:
    """The same by `re`, one pass per pattern: slower, with the same turns found for every kind."""

    def __init__(self, patterns: Sequence[ScanPattern]) -> None:
        self._patterns = [
            (pattern.kind, re.compile(pattern.pattern.encode(), re.IGNORECASE if pattern.ignores_case else 0))
            for pattern in patterns
        ]

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """See `Scanner`."""
        return [(kind, match.end()) for kind, pattern in self._patterns for match in pattern.finditer(data)]


def scanner_of(patterns: Sequence[ScanPattern]) -> Scanner:
    """Hyperscan where it is installed (Linux, macOS and Windows wheels exist), else `re`."""
    try:
        return HyperscanScanner(patterns)
    except ImportError:
        return ReScanner(patterns)


def as_ascii(text: str) -> bytes:
    """`text` with one ASCII byte per character: accents dropped, digits of any script as digits, other letters x."""
    return text.encode("ascii", _HANDLER)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(map(_as_one_char, error.object[error.start : error.end])), error.end


@lru_cache(maxsize=65536)
def _as_one_char(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    base = unicodedata.normalize("NFKD", char)[0]
    if char in _LOOKS_LIKE:
        return _LOOKS_LIKE[char]
    if char.isalpha() and not base.isascii():
        return "X" if char.isupper() else "x"
    return base if base.isascii() and base.isprintable() else "?"


codecs.register_error(_HANDLER, _replaced)
