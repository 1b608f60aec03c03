"""JSONL export: conversations.jsonl, one canonical line per call with provenance and grade, and a manifest."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from tip_assets.exports.export_build import LateWarnings, building_export, no_warnings
from tip_assets.exports.hashing_file import hashing_file
from tip_assets.exports.manifest import ExportSummary, ManifestFile, OutputStyle
from tip_resources.domain.codec import to_json
from tip_resources.domain.conversation import Conversation

CONVERSATIONS_FILE = "conversations.jsonl"


def write_jsonl(
    conversations: Iterable[Conversation],
    directory: Path,
    *,
    dataset: str,
    style: OutputStyle = "type_tag",
    key: bytes | None = None,
    run_id: str = "",
    late_warnings: LateWarnings = no_warnings,
) -> ExportSummary:
    """Writes `conversations.jsonl` and the manifest; `directory` appears whole.

    Args:
        conversations: Scrubbed calls: original text with `annotations.spans`; read once, as a stream.
        directory: An earlier JSONL export there is replaced when the new one is complete.
        dataset: Name in the manifest, and of calls that carry none.
        style: How personal data is replaced (pii/styles.py), or `raw` (text as it is).
        key: Of the data set; surrogates and hash tags want it.
        run_id: Dagster run, for the manifest.
        late_warnings: Asked once the stream has ended.

    Raises:
        BadInput: A call was never scrubbed, or the folder holds something else.
    """
    with building_export(directory, "jsonl", dataset=dataset, style=style, key=key) as build:
        with hashing_file(build.folder / CONVERSATIONS_FILE) as lines:
            for call in build.calls(conversations):
                conversation = call.conversation
                if not conversation.dataset:
                    conversation = msgspec.structs.replace(conversation, dataset=dataset)
                lines.write(to_json(conversation) + b"\n")
                build.count_call(call, len(conversation.turns))
        build.add_file(
            ManifestFile(path=CONVERSATIONS_FILE, sha256=lines.sha256, bytes=lines.bytes, rows=build.conversations)
        )
        build.finish(run_id, late_warnings)
    return build.summary(directory)
