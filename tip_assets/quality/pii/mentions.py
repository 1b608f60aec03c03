"""The places of personal data of one call as mentions of facts: which of them speak of the same one."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from tip_assets.quality.pii.call_text import fold
from tip_assets.quality.pii.surrogate_codes import canonical_code, pieces_of
from tip_assets.quality.pii.surrogate_dates import read_date
from tip_assets.quality.pii.surrogate_names import without_examples
from tip_resources.domain.conversation import Turn
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import PiiSpan

Family = Literal["name", "email", "date", "place", "url", "ip", "code"]
_PLACE_TYPES = ("ADDRESS", "STREET", "CITY", "ZIP", "POSTAL", "LOCATION", "COUNTY")
_JOINT = re.compile(r"[^a-z0-9]+")
# A number is dictated in at most this many pieces, and no number is longer than a card or an IBAN.
_MOST_PIECES = 6
_LONGEST_NUMBER = 34
_TURNS_BETWEEN = 2
_SHORTEST_PART = 2
# A turn of 10 MB may hold a million numbers; parts are looked for in so many, the longest.
MOST_WHOLES = 500
# Characters; nobody says a value in more. A turn of megabytes of digits is told from others by how it begins.
_LONGEST_READ = 5_000


class Mention(msgspec.Struct, frozen=True):
    """One place of personal data; `text` is the original under the span."""

    type: str
    text: str
    turn: int
    speaker: str

    @property
    def family(self) -> Family:
        """The kind of value it is."""
        return family_of(self.type)

    @property
    def value(self) -> str:
        """The normal form that mentions of one fact share: "J-O-H-N" is john, "four one five" 415."""
        return value_of(self.family, self.text)


def family_of(kind: str) -> Family:
    """What values of a type look like."""
    kind = kind.upper()
    if "NAME" in kind and "USER" not in kind:
        return "name"
    if "EMAIL" in kind:
        return "email"
    if "DATE" in kind or "BIRTH" in kind:
        return "date"
    if kind in ("IP", "IP_ADDRESS"):
        return "ip"
    if "MAC" not in kind and any(word in kind for word in _PLACE_TYPES):
        return "place"
    return "url" if kind == "URL" else "code"


@lru_cache(maxsize=8192)
def value_of(family: Family, text: str) -> str:
    """The normal form of a mention or a fact's value."""
    text = text[:_LONGEST_READ]
    if family == "name":
        plain = fold(without_examples(text)).replace("'", "").replace("\u2019", "")
        words = [word for word in re.split(r"[^a-z]+", plain) if word]
        return "".join(words) if words and all(len(word) == 1 for word in words) else " ".join(words)
    if family == "date" and (day := read_date(text)):
        month = f"{day.month:02d}" if day.day is None else f"{day.month:02d}-{day.day:02d}"
        return month if day.year is None else f"{day.year}-{month}"
    if family in ("code", "place", "date"):
        return canonical_code(pieces_of(text))
    spoken = re.sub(r"\s+dot\s+", ".", re.sub(r"\s+at\s+", "@", fold(text)))
    local, _, host = spoken.partition("@")
    return f"{canonical_code(pieces_of(local))}@{_JOINT.sub('', host)}" if host else canonical_code(pieces_of(local))


def mentions_of(turns: Sequence[Turn], spans: Sequence[PiiSpan]) -> list[Mention]:
    """The mentions under the spans, in their order."""
    return [
        Mention(span.type, turns[span.turn].text[span.start : span.end], span.turn, turns[span.turn].speaker)
        for span in spans
    ]


def number_joins(mentions: Sequence[Mention]) -> list[tuple[str, str]]:
    """(type, digits) of numbers dictated in several pieces by one speaker, joined."""
    found: list[tuple[str, str]] = []
    by_speaker: dict[tuple[str, str], list[Mention]] = {}
    for mention in mentions:
        if mention.family == "code":
            by_speaker.setdefault((mention.speaker, mention.type), []).append(mention)
    for (_, kind), pieces in by_speaker.items():
        for first in range(len(pieces)):
            joined, last = pieces[first].value, pieces[first]
            for piece in pieces[first + 1 : first + _MOST_PIECES]:
                if piece.turn - last.turn > _TURNS_BETWEEN or piece.value in joined or joined in piece.value:
                    break
                joined, last = joined + piece.value, piece
                if len(joined) > _LONGEST_NUMBER:
                    break
                # A telephone number is told apart from two of its readings by its length.
                if "PHONE" not in kind or len(joined) == 10:
                    found.append((kind, joined))
    return found


def linked(turns: Sequence[Turn], spans: Sequence[PiiSpan], facts: Sequence[PersonalFact] = ()) -> tuple[PiiSpan, ...]:
    """The spans with `entity` set: one number for each fact of the call, counted from 0 in order of appearance.

    Args:
        turns: Of the call.
        spans: Into their text.
        facts: What is known of the speakers; helps where a fact is only ever said in parts.
    """
    mentions = mentions_of(turns, spans)
    known = KnownValues(mentions, facts)
    wholes = [known.whole_of(mention.type, mention.text) for mention in mentions]
    number_of = {whole: number for number, whole in enumerate(dict.fromkeys(wholes))}
    return tuple(
        msgspec.structs.replace(span, entity=number_of[whole]) for span, whole in zip(spans, wholes, strict=True)
    )


class KnownValues:
    """The facts of one call as far as its mentions and the known facts tell them whole."""

    def __init__(self, mentions: Sequence[Mention], facts: Sequence[PersonalFact] = ()) -> None:
        wholes = {(mention.family, mention.value) for mention in mentions}
        wholes |= {(family_of(fact.type), value_of(family_of(fact.type), fact.value)) for fact in facts}
        wholes |= {("code", joined) for _, joined in number_joins(mentions)}
        self._wholes = sorted(wholes, key=lambda whole: (-len(whole[1]), whole[1]))[:MOST_WHOLES]

    def whole_of(self, kind: str, text: str) -> tuple[Family, str]:
        """The normal form of the whole fact that a mention speaks of: the longest that it is a part of."""
        family = family_of(kind)
        value = value_of(family, text)
        for whole_family, whole in self._wholes:
            if whole_family == family and _is_part(value, whole, family):
                return family, whole
        return family, value


def _is_part(value: str, whole: str, family: Family) -> bool:
    if len(value) < _SHORTEST_PART:
        return False
    if family == "name":
        words = whole.split()
        return set(value.split()) <= set(words) or any(value in word for word in words)
    return value in whole
