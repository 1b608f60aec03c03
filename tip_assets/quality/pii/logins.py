"""What people sign in with: user names, passwords, and handles."""

import re
from collections.abc import Iterator

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.triggers import EMAIL, LOGIN, Triggers

_SAID = r"(?:\s(?:is|was|it's|uh|um|name|for the portal)|:|'s|,){0,3}\s[\"']?"
_USERNAME = re.compile(
    rf"\b(?:user\s?name|user id|login(?: id| name)?|screen name|log in as|logged in as)\b{_SAID}"
    r"(?P<value>[A-Za-z][\w.-]{2,39})",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    rf"\b(?:password|passphrase|security word)\b{_SAID}(?P<value>[^\s\"',\x00]{{4,63}})", re.IGNORECASE
)
_HANDLE = re.compile(r"(?<![\w.])@[A-Za-z]\w{2,29}\b(?!\.\w)")
_MARKED = re.compile(r"[\d_]|\w[.-]\w|[!#$%^&*]|[a-z][A-Z]")


def by_login(call: CallText, triggers: Triggers) -> Iterator[Found]:
    """Yields user names and passwords that look like one (digits, marks, capitals inside), and @handles."""
    for turn in triggers.turns(LOGIN):
        for pattern, kind in ((_USERNAME, "USERNAME"), (_PASSWORD, "PASSWORD")):
            for match in pattern.finditer(call.text, *call.turn_range(turn)):
                start = match.start("value")
                value = match["value"].rstrip(".?!")
                if _MARKED.search(value):
                    yield Found(start, start + len(value), kind, False)
    for turn in triggers.turns(EMAIL):
        for match in _HANDLE.finditer(call.text, *call.turn_range(turn)):
            yield Found(*match.span(), "USERNAME", False)
