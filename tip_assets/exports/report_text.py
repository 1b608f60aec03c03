"""Words and numbers of the report. Everything that came from a model or a file passes through `escaped`."""

import html
import re
from datetime import UTC, datetime

# Control characters have no place in HTML; the bidirectional ones could make a line read as another.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_TAG = re.compile(r"\[([A-Z][A-Z0-9_]{1,40})\]")
# Names that humanising alone would leave unclear.
_KNOWN_WORDS = {
    "low_grade": "grade too low",
    "unscrubbable": "personal data could not be replaced",
    "not_exportable": "could not be exported",
    "unasked": "was not asked for",
    "duplicate": "repeats another call",
    "too_short": "too few turns",
    "invalid_output": "no usable JSON",
    "model_text": "talks about being a model",
}
SPEAKER_WORDS = {"agent": "Agent", "customer": "Customer", "system": "System"}
_UNITS = ((1e9, "G"), (1e6, "M"), (1e4, "k"))


def escaped(text: object) -> str:
    """`text` as HTML text or attribute value; characters that could deceive become U+FFFD."""
    return html.escape(_CONTROL.sub("\ufffd", str(text)), quote=True)


def with_tags_marked(text: str) -> str:
    """Escaped text in which the marks of replaced personal data, such as [NAME], stand out."""
    return _TAG.sub(r"<mark>\1</mark>", escaped(text))


def humanised(name: str) -> str:
    """`caller_gives_up` as `caller gives up`; a type of personal data (MEMBER_ID) as `member id`."""
    if name in _KNOWN_WORDS:
        return _KNOWN_WORDS[name]
    words = name.replace("_", " ").strip()
    return words.lower() if words.isupper() else words


def in_short(value: float) -> str:
    """12, 4.25, 12.3k, 1.2M: a number that fits under an axis or in a headline."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.2f}".rstrip("0").rstrip(".")


def figure(value: float) -> str:
    """A measured figure with three digits that count: 0.0123, 4.56, 1,234."""
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def share(value: float) -> str:
    """A part of a whole as a percentage with one digit behind the point where that says more: 4.3 %, 96 %."""
    percent = value * 100
    digits = 1 if 0 < percent < 10 or 90 < percent < 100 else 0
    return f"{percent:.{digits}f} %"


def duration(seconds: float) -> str:
    """8.4 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(timestamp: str) -> str:
    """An ISO time as 2026-11-21 02:30 UTC; anything else as it is."""
    try:
        when = datetime.fromisoformat(timestamp)
    except ValueError:
        return timestamp
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when.tzinfo else f"{when:%Y-%m-%d %H:%M}"


def size(count: int) -> str:
    """Bytes as a person reads them: 812 bytes, 10.4 kB, 3.2 MB."""
    for unit_bytes, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit_bytes:
            return f"{count / unit_bytes:,.1f} {unit}"
    return f"{count} bytes"


def calls(count: int) -> str:
    """`1 call`, `12 calls`."""
    return f"{count:,} call" if count == 1 else f"{count:,} calls"
