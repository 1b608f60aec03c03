"""Surrogates: made-up personal data in the form of the original, one fake for one fact throughout a call.

Drawn from the data set's key, the call's id and the value, so that a re-run writes the same and nobody without
the key finds the way back. What cannot be imitated (another script, a form not understood) becomes its type tag.
"""

import re
from collections.abc import Callable, Sequence

from tip_assets.planning.draws import Draws
from tip_assets.quality.pii.call_text import fold
from tip_assets.quality.pii.mentions import MOST_WHOLES, Family, Mention, family_of, number_joins
from tip_assets.quality.pii.styles import type_tag
from tip_assets.quality.pii.surrogate_codes import (
    RESERVED_EXCHANGE,
    Piece,
    canonical_code,
    like_case,
    made_up_code,
    pieces_of,
    say_again,
    windows_of,
)
from tip_assets.quality.pii.surrogate_dates import DateBook
from tip_assets.quality.pii.surrogate_names import NameBook, NotImitable
from tip_assets.quality.pii.surrogate_places import PlaceBook

_WORD = re.compile(r"[^\W\d_]+")
_HOSTS = ("example.com", "example.org", "example.net")  # RFC 2606: never anybody's
_URL = re.compile(
    r"(?P<start>(?:https?://)?(?:www(?:\.|\s+dot\s+))?)(?P<host>[^/?#]+)(?P<path>.*)", re.IGNORECASE | re.DOTALL
)
# RFC 5737 and RFC 3849: addresses for documentation.
_IP_NETS = ("192.0.2", "198.51.100", "203.0.113")
_IP_V6_NET = "2001:db8"
_SHORTEST_PART = 2


class Surrogates:
    """The surrogates of one call.

    Args:
        mentions: Every place of personal data of the call, in order.
        key: Of the data set.
        seed: Of the call: its id, and which draw it takes.
        avoided: Values that must not come up as a surrogate, besides those of the mentions.
    """

    def __init__(self, mentions: Sequence[Mention], key: bytes, seed: str, avoided: Sequence[str] = ()) -> None:
        self._key = (key.hex(), seed)
        values = [*(mention.text for mention in mentions), *avoided]
        taken = frozenset(fold(word) for value in values for word in _WORD.findall(value))
        self._names = NameBook(self._key, taken)
        self._places = PlaceBook(self._key, taken)
        self._dates = DateBook(self._key)
        codes = [canonical_code(pieces_of(mention.text)) for mention in mentions if mention.family == "code"]
        self._originals = windows_of([*codes, *(canonical_code(pieces_of(value)) for value in avoided)])
        self._wholes: list[tuple[str, str]] = []
        for mention in mentions:
            self._learn(mention)
        wholes = dict.fromkeys((*self._wholes, *number_joins(mentions)))
        self._wholes = sorted(wholes, key=lambda whole: len(whole[1]), reverse=True)[:MOST_WHOLES]

    def _learn(self, mention: Mention) -> None:
        if mention.family == "name":
            self._names.learn(mention.text)
        elif mention.family == "date":
            self._dates.learn(mention.text)
        elif mention.family == "code":
            self._wholes.append((mention.type, canonical_code(pieces_of(mention.text))))

    def again(self, kind: str, text: str) -> str:
        """What stands in the place of a mention."""
        try:
            said = self._again(family_of(kind), kind, text)
        except NotImitable:
            return type_tag(kind)
        is_new = fold(said) != fold(text) or (family_of(kind) == "code" and _is_nobodys(kind, text))
        return said if said.strip() and is_new else type_tag(kind)

    def _again(self, family: Family, kind: str, text: str) -> str:
        imitations: dict[Family, Callable[[str], str]] = {
            "name": self._names.again,
            "email": self._email,
            "date": self._dates.again,
            "place": self._places.again,
            "url": self._url,
            "ip": self._ip,
        }
        imitate = imitations.get(family)
        return imitate(text) if imitate else self._code(kind, text)

    def _code(self, kind: str, text: str) -> str:
        pieces = pieces_of(text)
        code = canonical_code(pieces)
        if not code or not code.isascii():
            raise NotImitable
        return say_again(text, pieces, self._fake_code(kind, code))

    def _fake_code(self, kind: str, code: str) -> str:
        """The fake of the longest number of the call that the code is a part of, or of the code itself."""
        for same_kind in (True, False):
            for other, whole in self._wholes:
                if (other == kind) is same_kind and len(code) >= _SHORTEST_PART and code in whole:
                    place = whole.rfind(code)
                    return self._made_up(other, whole)[place : place + len(code)]
        return self._made_up(kind, code)

    def _made_up(self, kind: str, code: str) -> str:
        return made_up_code(code, kind, self._originals, *self._key)

    def _email(self, text: str) -> str:
        """The fake name's letters, other digits, and a host reserved for examples."""
        local, at, host = _split_email(text)
        return f"{self._local(local)}{at}{self._host(host) if host else ''}"

    def _local(self, text: str) -> str:
        pieces = pieces_of(text)
        said, end = [], 0
        for run in _spelled_runs(pieces):
            said.append(text[end : run[0].start])
            said.append(self._local_run(text, run))
            end = run[-1].end
        return "".join(said) + text[end:]

    def _local_run(self, text: str, run: Sequence[Piece]) -> str:
        value = "".join(piece.value for piece in run)
        if run[0].kind in ("digits", "words"):
            part = text[run[0].start : run[-1].end]
            return say_again(part, pieces_of(part), made_up_code(value, "EMAIL", self._originals, *self._key))
        fake = self._local_word(value)
        if len(run) == 1:
            return like_case(text[run[0].start : run[0].end], fake)
        joint = text[run[0].end : run[1].start]
        return joint.join(like_case(text[run[0].start : run[0].end], letter) for letter in fake)

    def _local_word(self, word: str) -> str:
        """maria as the fake for Maria, msantos as its initial and the fake for Santos."""
        if len(word) == 1:
            return self._names.initial(word)
        if self._names.knows(word):
            return self._names.word(word).lower()
        if self._names.knows(word[1:]):
            return self._names.initial(word[0]) + self._names.word(word[1:]).lower()
        for place in range(2, len(word) - 1):
            if self._names.knows(word[:place]) and self._names.knows(word[place:]):
                return (self._names.word(word[:place]) + self._names.word(word[place:])).lower()
        return self._names.word(word).lower()

    def _host(self, host: str) -> str:
        bare = re.sub(r"\s+dot\s+", ".", fold(host)).strip()
        fake = Draws(*self._key, "host", bare).pick([name for name in _HOSTS if name != bare])
        return fake.replace(".", " dot ") if re.search(r"\sdot\s", fold(host)) else fake

    def _url(self, text: str) -> str:
        match = _URL.match(text)
        if match is None:
            raise NotImitable
        path = match["path"]
        return (
            f"{match['start'] or ''}{self._host(match['host'])}{self._code('URL', path) if pieces_of(path) else path}"
        )

    def _ip(self, text: str) -> str:
        draws = Draws(*self._key, "ip", text.lower())
        if re.fullmatch(r"[\d.]+", text):
            net = draws.pick([net for net in _IP_NETS if not text.startswith(f"{net}.")])
            return f"{net}.{draws.between(1, 254)}"
        if ":" in text:
            return f"{_IP_V6_NET}::{draws.between(1, 0xFFFE):x}"
        return self._code("IP_ADDRESS", text)


def _is_nobodys(kind: str, text: str) -> bool:
    """Whether a piece of a telephone number is of the range kept for fiction: its surrogate is the same there."""
    code = canonical_code(pieces_of(text))
    return "PHONE" in kind and len(code) > 1 and code in RESERVED_EXCHANGE


def _split_email(text: str) -> tuple[str, str, str]:
    """Local part, the sign or word between, and the host ("" where the mention has none)."""
    if "@" in text:
        return text[: text.index("@")], "@", text[text.index("@") + 1 :]
    if match := re.search(r"(?:^|\s+)at\s+(?=[^@]*(?:\.|\bdot\b))", text, re.IGNORECASE):
        return text[: match.start()], match.group(), text[match.end() :]
    return text, "", ""


def _spelled_runs(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Single letters that follow each other as one run, numbers that do so as one; every other piece alone."""
    runs: list[list[Piece]] = []
    for piece in pieces:
        is_number = piece.kind in ("digits", "words")
        last = runs[-1][-1] if runs else None
        follows = last is not None and piece.start - last.end <= 2
        both_numbers = follows and is_number and last is not None and last.kind in ("digits", "words")
        both_letters = (
            follows and last is not None and len(piece.value) == len(last.value) == 1 and not is_number
            and last.kind not in ("digits", "words")
        )  # fmt: skip
        if both_numbers or both_letters:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs
