"""Text that no person says on the phone: unfilled placeholders, a model talking about itself, markup.

Each finding is (reason, turn number, what it was), with at most the first of a kind per call; what it was
is named by kind, never quoted.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from tip_resources.domain.conversation import Turn

RemnantReason = Literal["placeholder", "model_text", "markup", "speaker_label"]

_SLOT_WORDS = (
    r"name|first name|last name|full name|date|time|amount|number|address|street|city|state|zip|company|phone|email|"
    r"account|order|product|plan|item|price|reason|doctor|agent|customer|patient|member|insert"
)
# What scrubbing itself writes; in generated text it is a placeholder, in an import it is fine.
REDACTION_TAG = re.compile(r"\[[A-Z][A-Z_]{1,30}\]")

# Transcribers' notes are no placeholders.
_NOTES = (
    r"laugh|sigh|pause|inaudible|unintelligible|crosstalk|silence|music|hold|cough|cries|crying|typing|beep|noise|"
    r"background|overlap|whisper|chuckle|sob|gasp|breath"
)
_PLACEHOLDERS = re.compile(
    rf"""
      \[(?!(?i:[^\]\[]{{0,40}}\b(?:{_NOTES})))
         (?:[A-Z][\w' /-]{{0,40}}|(?i:(?:your|customer'?s?|the|agent'?s?)?[ _]?(?:{_SLOT_WORDS})\b[^\]\[]{{0,30}}))\]
    | \{{\{{?[A-Za-z_][\w .-]{{0,40}}\}}
    | <(?i:[a-z]{{1,20}}_)?(?i:{_SLOT_WORDS})(?i:_[a-z]{{1,20}})?>
    | \b[Xx]{{4,40}}\b | \bX{{3}}-X{{2,4}} | \b[Xx]{{2,4}}/[Xx]{{2,4}}
    | \$[XxYyZ]\b | _{{4}} | \#{{3}}
    | (?i:\b(?:insert|enter|your)\s(?:{_SLOT_WORDS})\shere\b) | (?i:\blorem\sipsum\b) | \b(?:TBD|TODO)\b
    """,
    re.VERBOSE,
)
_MODEL_TEXT = re.compile(
    r"""(?i)
      \bas\san?\s(?:ai|artificial\sintelligence|(?:large\s)?language\smodel)\b
    | \bi(?:'m|\sam)\s(?:just\s)?an?\s(?:ai\b|(?:large\s)?language\smodel)
    | \blarge\slanguage\smodel\b
    | \bhere(?:'s|\sis|\sare)\s(?:the|a|an|your|another|one)\s(?:\w{1,20}\s){0,3}
        (?:conversation|transcript|dialogue)s?\b
    | \bi\s(?:cannot|can't|am\sunable\sto)\s(?:fulfill|generate|create|produce|write)\s(?:this|that|such|the|a)\b
    | \b(?:end|continuation)\sof\s(?:the\s)?(?:conversation|transcript|dialogue)\b
    | ^\W{0,3}(?:conversation|transcript|dialogue|call)\s\#?\d+\s?[:.)]
    | \bin\sthis\s(?:conversation|transcript|dialogue),?\sthe\s(?:agent|customer)\b
    """,
    re.VERBOSE | re.MULTILINE,
)
_MARKUP = re.compile(
    r"""
      "(?:speaker|text|turns|role|content|calls?)"\s?: | [\[{]\s?\{\s?" | "\s?\}\s?[,\]}]
    | \\n | \\" | \\u[0-9a-fA-F]{4}
    | ``` | \*\*\w | <\|\w{1,20}\|> | \[/?INST\] | ^\#{1,4}\s\w | &(?:nbsp|amp|quot|lt|gt|\#\d{1,5});
    | </?(?:s|b|i|p|br|div|span|think|eos|bos|pad|unk|speaker|turn|text|json)\s?/?>
    """,
    re.VERBOSE | re.MULTILINE,
)
_SPEAKER_LABEL = re.compile(
    r"(?:^|[\n.!?]\s{0,3})\W{0,2}(?:agent|customer|caller|representative|rep|operator|patient|user|assistant)\W{0,2}:",
    re.IGNORECASE,
)

_PLACEHOLDERS_HOLD = ("[", "{", "<", "$", "_", "#", "xx", "here", "lorem", "tbd", "todo")
_MODEL_TEXT_HOLDS = (
    " ai", "artificial", "language", "conversation", "transcript", "dialogue", "call", "cannot", "can't", "unable",
)  # fmt: skip
# What each kind is, and parts of which a text in lower case holds at least one where the pattern finds something:
# looking for those first takes a quarter of the time.
_CHECKS: tuple[tuple[RemnantReason, re.Pattern[str], Sequence[str], str], ...] = (
    ("placeholder", _PLACEHOLDERS, _PLACEHOLDERS_HOLD, "an unfilled placeholder"),
    ("model_text", _MODEL_TEXT, _MODEL_TEXT_HOLDS, "words of a model about itself or its task"),
    ("markup", _MARKUP, '"\\`*<[#&', "markup or JSON"),
    ("speaker_label", _SPEAKER_LABEL, ":", "a speaker label"),
)


def remnants(turns: Sequence[Turn], *, allows_redaction_tags: bool) -> Iterator[tuple[RemnantReason, int, str]]:
    """Yields the first finding of each kind as (reason, turn number, what it is)."""
    texts = [REDACTION_TAG.sub(" ", turn.text) if allows_redaction_tags else turn.text for turn in turns]
    # Letters beyond ASCII may equal one of a pattern's in another case, so such a turn is always searched.
    lowered = [" ".join(text.lower().split()) if text.isascii() else None for text in texts]
    said = "\n".join(filter(None, lowered))
    for reason, pattern, needs_one_of, what in _CHECKS:
        needed = [part for part in needs_one_of if part in said]
        for number, text in enumerate(lowered):
            may_hold = text is None or any([part in text for part in needed])
            if may_hold and pattern.search(texts[number]):
                yield reason, number, what
                break
