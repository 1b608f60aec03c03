"""From what a model answered to the line one side says, or the reason why it is none."""

import re

from tip_assets.generation.acceptance import Refusal
from tip_assets.generation.two_agent.orchestration import Role
from tip_assets.quality.remnants import remnants
from tip_resources.domain.conversation import Turn
from tip_resources.llm.types import RequestDone

_LABEL = r"(?:agent|customer|caller|representative|rep|operator|client|patient|me|you)"
_OWN_LABEL = re.compile(rf"^\W*{_LABEL}\W*:\s*", re.IGNORECASE)
# Models like to play the other side, too; only what comes before is this side's.
_NEXT_LABEL = re.compile(rf"\n\W*{_LABEL}\W*:", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.?!](?=[\s\"']|$)")
_QUOTES = ('"', "\u201c", "\u201d")


def spoken_line(done: RequestDone, role: Role) -> Turn | Refusal:
    """The turn of an ended request."""
    text = tidied(done.raw_text)
    if done.failure == "truncated":
        text = _whole_sentences(text)
    elif done.failure is not None:
        return Refusal(done.failure, done.detail)
    if not text:
        return Refusal(done.failure or "empty", done.detail or "no words in the answer")
    turn = Turn(speaker=role, text=text)
    found = next(iter(remnants([turn], allows_redaction_tags=False)), None)
    return Refusal(found[0], f"{found[2]} in a turn") if found else turn


def tidied(text: str) -> str:
    """The words themselves: without the speaker's name, quotation marks, and what the other side would say."""
    text = _OWN_LABEL.sub("", text.strip())
    if after := _NEXT_LABEL.search(text):
        text = text[: after.start()]
    text = " ".join(text.split())
    if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text


def _whole_sentences(text: str) -> str:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else ""
