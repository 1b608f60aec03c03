"""Replaces the personal data of a call wherever it leaves the house."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.pii.extras import Scrubber, scrubbed_extra
from tip_assets.quality.pii.styles import RedactionStyle, replacement
from tip_resources.domain.conversation import Annotations, Conversation, Turn
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import PiiSpan


def redact(
    conversation: Conversation, style: RedactionStyle = "type_tag", facts: Sequence[PersonalFact] = ()
) -> Conversation:
    """The call with its personal data replaced, and nothing left anywhere that holds the raw text.

    The result's `annotations.spans` say where the replacements stand in the new text, so redacting twice
    changes nothing. `annotations.extra` and the grade's rationale are scrubbed by the same detectors, with
    what the spans cover as known facts; `extra.personal_facts` is dropped.

    Args:
        conversation: A call with spans. One that was never scrubbed (spans None) is searched here first, so
            raw text cannot get out through a forgotten step.
        style: `type_tag` writes [NAME], `pii` writes [PII].
        facts: Personal facts to look for in `extra` besides those the spans cover.
    """
    annotations = conversation.annotations
    spans = annotations.spans if annotations.spans is not None else find_spans(conversation, facts)
    known = [*facts, *_facts_under(conversation, spans)]
    scrubber = Scrubber(lambda text: _scrub_text(text, known, style), style)
    turns, new_spans = _replace(conversation.turns, spans, style)
    grade = annotations.grade
    if grade is not None and grade.rationale:
        grade = msgspec.structs.replace(grade, rationale=scrubber.scrub(grade.rationale))
    cleaned = Annotations(grade=grade, spans=new_spans, extra=scrubbed_extra(annotations.extra, scrubber))
    return msgspec.structs.replace(conversation, turns=turns, annotations=cleaned)


def _replace(
    turns: Sequence[Turn], spans: Sequence[PiiSpan], style: RedactionStyle
) -> tuple[tuple[Turn, ...], tuple[PiiSpan, ...]]:
    new_turns = list(turns)
    new_spans: list[PiiSpan] = []
    ordered = sorted(spans, key=lambda span: (span.turn, span.start))
    for number, of_turn in groupby(ordered, key=lambda span: span.turn):
        text, pieces, end, length = turns[number].text, [], 0, 0
        for span in of_turn:
            tag = replacement(span.type, style)
            kept = text[end : span.start]
            start = length + len(kept)
            pieces += (kept, tag)
            length = start + len(tag)
            end = max(end, span.end)
            new_spans.append(msgspec.structs.replace(span, start=start, end=length))
        pieces.append(text[end:])
        new_turns[number] = msgspec.structs.replace(turns[number], text="".join(pieces))
    return tuple(new_turns), tuple(new_spans)


def _facts_under(conversation: Conversation, spans: Sequence[PiiSpan]) -> Iterator[PersonalFact]:
    for span in spans:
        yield PersonalFact(type=span.type, value=conversation.turns[span.turn].text[span.start : span.end])


def _scrub_text(text: str, facts: Sequence[PersonalFact], style: RedactionStyle) -> str:
    alone = Conversation(id="", turns=(Turn(speaker="system", text=text),))
    turns, _ = _replace(alone.turns, find_spans(alone, facts), style)
    return turns[0].text
