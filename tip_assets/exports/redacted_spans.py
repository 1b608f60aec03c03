"""Where personal data was replaced in an exported call: offsets before and after, never the text."""

from collections.abc import Sequence
from typing import Any

import msgspec

from tip_resources.domain.conversation import Conversation
from tip_resources.domain.redaction import PiiSpan


def spans_line(redacted: Conversation, contact_id: str, originals: Sequence[PiiSpan]) -> dict[str, Any]:
    """One line of spans.jsonl.

    `start` and `end` are characters of the text the export was made from, `new_start` and `new_end` those of
    the text in the export. `replaced` says that the text before was no original either.
    """
    before = sorted(originals, key=lambda span: (span.turn, span.start))
    after = redacted.annotations.spans or ()
    return {
        "id": redacted.id,
        "contact_id": contact_id,
        "spans": [
            {**msgspec.to_builtins(old), "new_start": new.start, "new_end": new.end}
            for old, new in zip(before, after, strict=True)
        ],
    }
