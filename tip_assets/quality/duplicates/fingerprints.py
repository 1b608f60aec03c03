"""Two hashes of a call: of its text as it stands, and of its words alone."""

import hashlib
import operator
import unicodedata

import msgspec

from tip_assets.quality.duplicates.matches import DuplicateMethod
from tip_resources.domain.conversation import Conversation

# 128 bits: among 10 million calls the chance of any accidental collision is below 1e-24.
_DIGEST_BYTES = 16
_TURN_END = "\x1e"
_SPEAKER_END = "\x1f"
_ASCII_PUNCTUATION_AND_SPACE = {code: None for code in range(128) if not chr(code).isalnum()}
# The same for bytes, where the marks between speakers and turns stay.
_LOWER = bytes(range(256)).lower()
_ASCII_DROPPED = bytes(
    code for code in range(128) if not chr(code).isalnum() and chr(code) not in (_TURN_END, _SPEAKER_END)
)
_EMPTY_TURN = f"{_SPEAKER_END}{_TURN_END}".encode()
# Letters, digits and the marks that belong to letters; everything else is formatting.
_KEPT_CATEGORIES = frozenset("LNM")


class Fingerprints(msgspec.Struct, frozen=True):
    """Two hashes of one call, as 32 hex digits; the kinds never collide with each other."""

    exact: str
    normalized: str


def fingerprints(conversation: Conversation) -> Fingerprints:
    """The exact and the normalised fingerprint of a call; ids, times and annotations play no part.

    Exact: every speaker and text as it stands. Normalised: NFKC, case folded, only letters, digits and
    combining marks kept, turns left empty by that dropped, and neighbouring turns of one speaker joined,
    so a call cut into turns differently is still the same. A call with no letter or digit at all has no
    normal form and keeps its exact text there.
    """
    exact = "".join([f"{turn.speaker}{_SPEAKER_END}{turn.text}{_TURN_END}" for turn in conversation.turns])
    # Lone surrogates can come from broken imports; they must hash, not raise.
    data = exact.encode("utf-8", "surrogatepass")
    normalized = _plain_normal_form(conversation, data)
    if normalized is None:
        normalized = _normal_form(conversation).encode("utf-8", "surrogatepass")
    return Fingerprints(_digest("exact", data), _digest("normalized", normalized or data))


def _plain_normal_form(conversation: Conversation, exact: bytes) -> bytes | None:
    """The normal form of a call in ASCII whose speakers take turns, at once; None for any other."""
    turns = len(conversation.turns)
    if not exact.isascii() or exact.count(b"\x1e") != turns or exact.count(b"\x1f") != turns:
        return None
    speakers = [turn.speaker for turn in conversation.turns]
    if any(map(operator.eq, speakers, speakers[1:])):
        return None
    kept = exact.translate(_LOWER, _ASCII_DROPPED)
    return None if _EMPTY_TURN in kept else b"\x1e" + kept[:-1] if kept else b""


def _normal_form(conversation: Conversation) -> str:
    parts: list[str] = []
    last_speaker = ""
    for turn in conversation.turns:
        text = _letters_and_digits(turn.text)
        if not text:
            continue
        if turn.speaker != last_speaker:
            parts.append(f"{_TURN_END}{turn.speaker}{_SPEAKER_END}")
            last_speaker = turn.speaker
        parts.append(text)
    return "".join(parts)


def _letters_and_digits(text: str) -> str:
    if text.isascii():
        return text.lower().translate(_ASCII_PUNCTUATION_AND_SPACE)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in folded if unicodedata.category(char)[0] in _KEPT_CATEGORIES)


def _digest(kind: DuplicateMethod, data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES, person=kind.encode()).hexdigest()
