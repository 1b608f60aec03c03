"""Lex export: one Contact Lens 1.1.0 file per call, in date folders, with a manifest.

The shape of a file is in lex_document.py, the rules it is held to in lex_schema.py, and the check of a
finished export in lex_check.py.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec

from tip_assets.exports.export_build import ExportBuild, LateWarnings, OutgoingCall, building_export, no_warnings
from tip_assets.exports.lex_document import call_start, language_code, lex_document, lex_file_name
from tip_assets.exports.lex_schema import lex_problems
from tip_assets.exports.manifest import ExportSummary, ManifestFile, OutputStyle, file_source
from tip_assets.quality.pii.styles import type_tag
from tip_resources.domain.conversation import Conversation

# Amazon Lex V2 developer guide, "Import transcripts": at least 1,000 turns, 10,000 or more recommended.
MINIMUM_TURNS = 1_000
RECOMMENDED_TURNS = 10_000
# The designer takes transcripts in this language only (same page).
LEX_LANGUAGE = "en-US"


def write_lex(
    conversations: Iterable[Conversation],
    directory: Path,
    *,
    dataset: str,
    style: OutputStyle = "type_tag",
    key: bytes | None = None,
    minimum_turns: int = MINIMUM_TURNS,
    fallback_date: date,
    run_id: str = "",
    late_warnings: LateWarnings = no_warnings,
) -> ExportSummary:
    """Writes `<directory>/yyyy/mm/dd/<ContactId>_analysis_redacted_<date>T<time>Z.json` for every call.

    Args:
        conversations: Scrubbed calls: original text with `annotations.spans`; read once, as a stream.
        directory: Appears whole; an earlier Lex export there is replaced when the new one is complete.
        dataset: Name in the manifest, and of calls that carry none.
        style: How personal data is replaced (pii/styles.py), or `raw` (text as it is, marked `Raw`).
        key: Of the data set; surrogates and hash tags want it.
        minimum_turns: Fewer turns in all give a warning.
        fallback_date: Date of calls whose provenance has no start time.
        run_id: Dagster run, for the manifest.
        late_warnings: Asked once the stream has ended.

    Raises:
        BadInput: A call was never scrubbed, or the folder holds something else.
    """
    with building_export(directory, "lex", dataset=dataset, style=style, key=key) as build:
        languages: Counter[str] = Counter()
        for call in build.calls(conversations):
            if _write_call(build, call, fallback_date):
                languages[language_code(call.conversation.language) or call.conversation.language] += 1
        build.warnings.extend(turn_warnings(build.turns, minimum_turns))
        build.warnings.extend(_language_warnings(languages))
        build.finish(run_id, late_warnings)
    return build.summary(directory)


def turn_warnings(turns: int, minimum_turns: int = MINIMUM_TURNS) -> tuple[str, ...]:
    """What Lex's limits say of an export with so many turns; empty when it has plenty."""
    if turns < minimum_turns:
        return (
            f"{turns:,} turns in all; Lex asks for at least {minimum_turns:,} and recommends "
            f"{RECOMMENDED_TURNS:,}. Export more calls before importing.",
        )
    if turns < RECOMMENDED_TURNS:
        return (f"{turns:,} turns in all; Lex recommends {RECOMMENDED_TURNS:,} or more for good intents.",)
    return ()


def _write_call(build: ExportBuild, call: OutgoingCall, fallback_date: date) -> bool:
    entities = tuple(sorted({type_tag(span.type).strip("[]") for span in call.spans}))
    data = msgspec.json.encode(lex_document(call, build.style, entities))
    document = msgspec.json.decode(data)
    if problems := lex_problems(document):
        build.leave_out(call.conversation.id, "Lex would refuse it: " + "; ".join(problems))
        return False
    start = call_start(call.conversation, fallback_date)
    relative = lex_file_name(call.contact_id, start, build.style)
    path = build.folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    turns = len(document["Transcript"])
    build.count_call(call, turns)
    build.add_file(
        ManifestFile(
            path=relative,
            sha256=hashlib.sha256(data).hexdigest(),
            bytes=len(data),
            turns=turns,
            conversation_id=call.conversation.id,
            contact_id=call.contact_id,
            source=file_source(call.conversation, build.dataset),
        )
    )
    return True


def _language_warnings(languages: Counter[str]) -> list[str]:
    others = [f"{count:,} in {language}" for language, count in sorted(languages.items()) if language != LEX_LANGUAGE]
    if not others:
        return []
    return [f"Lex's chatbot designer takes {LEX_LANGUAGE} only; of these calls {', '.join(others)}."]
