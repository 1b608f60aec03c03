"""One call as a Contact Lens 1.1.0 transcript, and the name its file has. Files are written in lex.py.

Source of the shape: Amazon Lex V2 developer guide, "Input transcript format"; Contact Lens output examples.
"""

from datetime import UTC, date, datetime, time
from typing import Any

from tip_assets.exports.export_build import OutgoingCall
from tip_assets.exports.manifest import OutputStyle
from tip_resources.domain.conversation import Conversation, Turn

VERSION = "1.1.0"
# Lex knows two roles. AWS's own converters (amazon-lex-bot-recommendation-integration) give what a system
# says (menus, recorded notices) to the agent's side, so that the customer's answer keeps what it answers.
ROLE_OF_SPEAKER = {"agent": "AGENT", "customer": "CUSTOMER", "system": "AGENT"}
# Where a call names a language without a region: the region Contact Lens lists first for it.
_LANGUAGE_CODES = {
    "de": "de-DE",
    "en": "en-US",
    "es": "es-US",
    "fr": "fr-FR",
    "hi": "hi-IN",
    "it": "it-IT",
    "ja": "ja-JP",
    "ko": "ko-KR",
    "pt": "pt-BR",
    "zh": "zh-CN",
}
_MASK_MODE = {"type_tag": "ENTITY_TYPE", "pii": "PII"}


def lex_document(call: OutgoingCall, style: OutputStyle, entities: tuple[str, ...]) -> dict[str, Any]:
    """The transcript of one call; turns in which nothing is said are left out.

    Args:
        call: Redacted already, unless the style is raw.
        style: Says what `ContentMetadata` tells of the redaction.
        entities: Types of personal data that were looked for.
    """
    conversation = call.conversation
    replaced_turns = {span.turn for span in call.spans}
    transcript = [
        _turn(turn, f"{call.contact_id}-{number:04d}", number in replaced_turns)
        for number, turn in enumerate(conversation.turns)
        if turn.text.strip()
    ]
    roles = dict.fromkeys(turn["ParticipantId"] for turn in transcript)
    document: dict[str, Any] = {
        "Version": VERSION,
        "Channel": "VOICE",
        "Participants": [{"ParticipantId": role, "ParticipantRole": role} for role in roles],
        "ContentMetadata": _content_metadata(style, entities),
        "CustomerMetadata": {"ContactId": call.contact_id},
        "Transcript": transcript,
    }
    code = language_code(conversation.language)
    return document | {"LanguageCode": code} if code else document


def language_code(language: str) -> str | None:
    """`en` and `en-us` as `en-US`; None for a language whose region is not known."""
    base, _, region = language.replace("_", "-").lower().partition("-")
    if not region:
        return _LANGUAGE_CODES.get(base)
    return f"{base}-{region.upper()}" if base.isalpha() and len(region) == 2 and region.isalpha() else None


def call_start(conversation: Conversation, fallback_date: date) -> datetime:
    """When the call was made, in UTC: its provenance's start, else midnight of `fallback_date`."""
    started_at = conversation.provenance.started_at if conversation.provenance else ""
    try:
        start = datetime.fromisoformat(started_at)
    except ValueError:
        return datetime.combine(fallback_date, time(), UTC)
    return start.astimezone(UTC) if start.tzinfo else start.replace(tzinfo=UTC)


def lex_file_name(contact: str, start: datetime, style: OutputStyle) -> str:
    """Path in the export: date folders and a dated name, as Lex's date filter wants; no colons, for Windows."""
    marked = "analysis_redacted" if style in _MASK_MODE else "analysis"
    return f"{start:%Y/%m/%d}/{contact}_{marked}_{start:%Y-%m-%dT%H-%M-%S}Z.json"


def _content_metadata(style: OutputStyle, entities: tuple[str, ...]) -> dict[str, Any]:
    # Contact Lens knows two masks. A surrogate or a hash tag is neither: who reads "Redacted" would look for masks
    # and find none, and who reads "Raw" takes the text for what it looks like, with the care that asks for.
    if style not in _MASK_MODE:
        return {"RedactionTypes": ["PII"], "Output": "Raw"}
    requested = {"RedactionEntitiesRequested": list(entities), "RedactionMaskMode": _MASK_MODE[style]}
    return {"RedactionTypes": ["PII"], "Output": "Redacted", "RedactionTypesMetadata": {"PII": requested}}


def _turn(turn: Turn, turn_id: str, is_redacted: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"ParticipantId": ROLE_OF_SPEAKER[turn.speaker], "Id": turn_id, "Content": turn.text}
    if turn.start_ms is None or turn.end_ms is None or not 0 <= turn.start_ms <= turn.end_ms:
        return entry
    span = {"BeginOffsetMillis": turn.start_ms, "EndOffsetMillis": turn.end_ms}
    # Word times are not known: the whole turn bounds where the replaced words were spoken.
    return entry | span | ({"Redaction": {"RedactedTimestamps": [span]}} if is_redacted else {})
