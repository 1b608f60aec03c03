"""The styles in which personal data is replaced, and the tags that three of them write.

What a surrogate looks like is in surrogates.py; the key of a data set in tip_resources/redaction_key.py.
"""

import hashlib
import hmac
import re
from typing import get_args

from tip_resources.domain.redaction import RedactionStyle

STYLES: tuple[RedactionStyle, ...] = get_args(RedactionStyle)
# These two say themselves that something was removed; Contact Lens and its readers know no others.
TAG_STYLES: tuple[RedactionStyle, ...] = ("type_tag", "pii")
_NOT_IN_A_TAG = re.compile(r"[^A-Z0-9]+")
_TAG = re.compile(r"\[[A-Z][A-Z0-9_]*\]")
# 32 bits: among 10,000 facts of one type two share a tag with a chance of about 1 %.
_HASH_BYTES = 4


def type_tag(kind: str) -> str:
    """[NAME] for a type of personal data."""
    return f"[{_NOT_IN_A_TAG.sub('_', kind.upper()).strip('_') or 'PII'}]"


def hash_tag(kind: str, value: str, key: bytes) -> str:
    """[NAME_3F9A2C51]: the same for the same value under one key, and nothing to look up without the key.

    Capital hexadecimal digits, so that one pattern knows the tags of every style.
    """
    digest = hmac.new(key, f"{kind}\x1f{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return f"{type_tag(kind)[:-1]}_{digest[:_HASH_BYTES].hex().upper()}]"


def shown_style(style: RedactionStyle) -> RedactionStyle:
    """The style in which people are shown calls of an export: tags, so that everybody sees what was replaced."""
    return style if style in TAG_STYLES else "type_tag"


def is_tag(text: str) -> bool:
    """Whether a text is a tag of any style and nothing else."""
    return _TAG.fullmatch(text) is not None
