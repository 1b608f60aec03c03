"""Replaces the personal data of a call wherever it leaves the house."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import msgspec

from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.pii.extras import SURROGATE_DRAW, Scrubber, scrubbed_extra
from tip_assets.quality.pii.mentions import KnownValues, Mention, linked, mentions_of
from tip_assets.quality.pii.styles import TAG_STYLES, hash_tag, is_tag, type_tag
from tip_assets.quality.pii.surrogates import Surrogates
from tip_resources.domain.conversation import Annotations, Conversation, Turn
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import PiiSpan, RedactionStyle

# What stands for a text of a type: (type, text) -> replacement.
Replace = Callable[[str, str], str]
# Another finder of personal data, such as Presidio's.
FindMore = Callable[[Conversation], Sequence[PiiSpan]]


def with_spans(
    conversation: Conversation, facts: Sequence[PersonalFact] = (), also: FindMore | None = None
) -> Conversation:
    """The call with the spans of its personal data, linked by fact; the text stays as it is.

    What an earlier redaction replaced keeps its span and is not searched again: a surrogate looks like the
    real thing, and replacing it once more would only lose the way back to where it stood. `also` is asked for
    more places; they count where nothing else was found.
    """
    kept = tuple(span for span in conversation.annotations.spans or () if _is_replaced(span, conversation.turns))
    found = [piece for span in find_spans(conversation, facts) for piece in _outside(span, kept)]
    if also is not None:
        taken = (*kept, *found)
        more = [piece for span in also(conversation) for piece in _outside(span, taken)]
        found += [span for span in more if _says_something(conversation.turns[span.turn].text[span.start : span.end])]
        found.sort(key=lambda span: (span.turn, span.start))
    spans = (*linked(conversation.turns, found, facts), *kept)
    annotations = msgspec.structs.replace(
        conversation.annotations, spans=tuple(sorted(spans, key=lambda span: (span.turn, span.start)))
    )
    return msgspec.structs.replace(conversation, annotations=annotations)


def redact(
    conversation: Conversation,
    style: RedactionStyle = "type_tag",
    facts: Sequence[PersonalFact] = (),
    *,
    key: bytes | None = None,
) -> Conversation:
    """The call with its personal data replaced, and nothing left anywhere that holds the raw text.

    The result's `annotations.spans` say where the replacements stand in the new text, so redacting twice
    changes nothing. `annotations.extra` and the grade's rationale are scrubbed by the same detectors, with
    what the spans cover as known facts; `extra.personal_facts` is dropped.

    Args:
        conversation: A call with spans. One that was never scrubbed (spans None) is searched here first, so
            raw text cannot get out through a forgotten step. Spans whose text was replaced before are given
            another tag where `style` is one of tags, and else left as they are.
        style: `type_tag` writes [NAME], `pii` [PII], `surrogate` a made-up value, `hash` [NAME_3F9A2C51].
        facts: Personal facts to look for in `extra` besides those the spans cover; no surrogate is one of them.
        key: Of the data set (tip_resources/redaction_key.py); `surrogate` and `hash` want it.

    Raises:
        ValueError: No key for a style that wants one.
    """
    if conversation.annotations.spans is None:
        conversation = with_spans(conversation, facts)
    annotations, turns = conversation.annotations, conversation.turns
    spans = tuple(sorted(annotations.spans or (), key=lambda span: (span.turn, span.start)))
    original = [span for span in spans if not _is_replaced(span, turns)]
    known = list(dict.fromkeys([*facts, *_facts_under(conversation, original)]))
    draw = annotations.extra.get(SURROGATE_DRAW)
    seed = f"{conversation.id}/{draw}" if draw else conversation.id
    replace = _replacer(style, mentions_of(turns, original), known, key, seed)
    new_turns, new_spans = _replace(turns, spans, style, replace)
    scrubber = Scrubber(lambda text: _scrub_text(text, known, style, replace), replace)
    grade = annotations.grade
    if grade is not None and grade.rationale:
        grade = msgspec.structs.replace(grade, rationale=scrubber.scrub(grade.rationale))
    cleaned = Annotations(grade=grade, spans=new_spans, extra=scrubbed_extra(annotations.extra, scrubber))
    return msgspec.structs.replace(conversation, turns=new_turns, annotations=cleaned)


def drawn_again(conversation: Conversation, draw: int) -> Conversation:
    """The call, with its surrogates to be drawn otherwise from now on; `draw` counts from 1."""
    extra = {**conversation.annotations.extra, SURROGATE_DRAW: draw}
    annotations = msgspec.structs.replace(conversation.annotations, extra=extra)
    return msgspec.structs.replace(conversation, annotations=annotations)


def replaced_otherwise(conversation: Conversation, style: RedactionStyle) -> bool:
    """Whether places of the call were replaced before in a style that `style` cannot take the place of."""
    return style not in TAG_STYLES and any(
        _is_replaced(span, conversation.turns) and span.replaced != style
        for span in conversation.annotations.spans or ()
    )


def _replacer(
    style: RedactionStyle, mentions: Sequence[Mention], known: Sequence[PersonalFact], key: bytes | None, seed: str
) -> Replace:
    if style == "type_tag":
        return lambda kind, text: type_tag(kind)
    if style == "pii":
        return lambda kind, text: type_tag("PII")
    if key is None:
        raise ValueError(f"the style {style} wants the data set's key")
    if style == "surrogate":
        return Surrogates(mentions, key, seed, [value for fact in known for value in (fact.value, *fact.spoken)]).again
    values = KnownValues(mentions, known)
    return lambda kind, text: hash_tag(kind, ":".join(values.whole_of(kind, text)), key)


def _replace(
    turns: Sequence[Turn], spans: Sequence[PiiSpan], style: RedactionStyle, replace: Replace
) -> tuple[tuple[Turn, ...], tuple[PiiSpan, ...]]:
    new_turns = list(turns)
    new_spans: list[PiiSpan] = []
    starts = {(span.turn, span.start) for span in spans}
    for number, of_turn in groupby(spans, key=lambda span: span.turn):
        text, pieces, end, length = turns[number].text, [], 0, 0
        for span in of_turn:
            under = text[max(span.start, end) : span.end]
            was_replaced = _is_replaced(span, turns)
            keeps = was_replaced and style not in TAG_STYLES
            said = under if keeps else replace(span.type, under)
            if not keeps:
                said += _apart(text[span.end : span.end + 1], said, (span.turn, span.end) in starts)
            kept = text[end : span.start]
            start = length + len(kept)
            pieces += (kept, said)
            length = start + len(said)
            end = max(end, span.end)
            wrote = (span.replaced or "type_tag") if keeps else style
            new_spans.append(msgspec.structs.replace(span, start=start, end=length, replaced=wrote))
        pieces.append(text[end:])
        new_turns[number] = msgspec.structs.replace(turns[number], text="".join(pieces))
    return tuple(new_turns), tuple(new_spans)


def _apart(following: str, said: str, meets_another: bool) -> str:
    """A space where a tag would stand right before a bracket: Rasa reads "[PII](" and "[PII][" as entities."""
    return " " if is_tag(said) and (following in ("(", "{", "[") or meets_another) else ""


def _is_replaced(span: PiiSpan, turns: Sequence[Turn]) -> bool:
    """Whether the text under a span is no original; sets of before `replaced` was kept show it by a tag."""
    if span.replaced is not None:
        return True
    return 0 <= span.turn < len(turns) and is_tag(turns[span.turn].text[span.start : span.end])


def _outside(span: PiiSpan, kept: Sequence[PiiSpan]) -> Iterator[PiiSpan]:
    """The pieces of a span that no kept span covers."""
    start = span.start
    for other in sorted((o for o in kept if o.turn == span.turn), key=lambda o: o.start):
        if other.end <= start or other.start >= span.end:
            continue
        if other.start > start:
            yield msgspec.structs.replace(span, start=start, end=other.start)
        start = max(start, other.end)
    if start < span.end:
        yield msgspec.structs.replace(span, start=start)


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _facts_under(conversation: Conversation, spans: Sequence[PiiSpan]) -> Iterator[PersonalFact]:
    for span in spans:
        yield PersonalFact(type=span.type, value=conversation.turns[span.turn].text[span.start : span.end])


def _scrub_text(text: str, facts: Sequence[PersonalFact], style: RedactionStyle, replace: Replace) -> str:
    alone = Conversation(id="", turns=(Turn(speaker="system", text=text),))
    turns, _ = _replace(alone.turns, find_spans(alone, facts), style, replace)
    return turns[0].text
