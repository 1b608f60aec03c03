"""Where personal data stands in a conversation. Finding and replacing it lives in tip_assets/quality."""

from typing import Literal

import msgspec

SpanSource = Literal["persona", "pattern", "presidio"]
# How personal data is replaced; what each writes is in docs/personal-data.md.
RedactionStyle = Literal["type_tag", "pii", "surrogate", "hash"]


class PiiSpan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Personal data in one turn: characters [start, end) of the turn's text.

    `entity` numbers the facts of a call: spans of one fact, whatever its form, have the same number; None where
    nobody linked them. `replaced` is the style in which the text under the span was replaced already; None
    while it is the original.
    """

    turn: int
    start: int
    end: int
    type: str
    source: SpanSource
    entity: int | None = None
    replaced: RedactionStyle | None = None
