"""The manifest of an export: every file with its checksum, and the way back from a file to its origin.

Also the summary that every writer returns. How an export is put together is in export_build.py.
"""

from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from upath import UPath

from tip_resources.domain.conversation import Conversation
from tip_resources.domain.redaction import RedactionStyle
from tip_resources.storage.checksums import ListedFiles

MANIFEST_NAME = "manifest.json"
# Where personal data was replaced: a line for each call, offsets only.
SPANS_NAME = "spans.jsonl"
MANIFEST_KIND = "tip-export"

ExportFormat = Literal["lex", "csv", "jsonl"]
# raw leaves the text as it is: only `tip export --raw` asks for it.
OutputStyle = RedactionStyle | Literal["raw"]


class FileSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the call in a file came from: enough to find its record in the set and the request that made it."""

    dataset: str = ""
    index: int | None = None
    scenario_id: str = ""
    model: str = ""
    endpoint: str = ""
    node: str = ""
    call_id: str = ""
    position: int | None = None
    request_hash: str = ""
    prompt_template: str = ""
    prompt_hash: str = ""
    seed: int | None = None
    attempt: int | None = None
    started_at: str = ""
    tip_version: str = ""
    scripted: bool = False


class ListedFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file: `path` relative to the export, `/` between folders. That of a Lex call has its ContactId."""

    path: str
    sha256: str
    bytes: int
    contact_id: str = ""


class ManifestFile(ListedFile, frozen=True, kw_only=True, omit_defaults=True):
    """One file with what is in it. A file per call also names its call."""

    turns: int | None = None
    rows: int | None = None
    conversation_id: str = ""
    source: FileSource | None = None


class LeftOut(msgspec.Struct, frozen=True):
    """A call that could not be exported, and why."""

    conversation_id: str
    reason: str


class ManifestTotals(msgspec.Struct, frozen=True, kw_only=True):
    """`files` and `bytes` leave out the manifest itself."""

    files: int
    conversations: int
    turns: int
    bytes: int
    left_out: int
    scripted_conversations: int


class ManifestHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest says before its list of files.

    `spans` is the file that says where personal data was replaced; none in a raw export.
    """

    kind: str = MANIFEST_KIND
    manifest_version: int = 1
    format: ExportFormat
    dataset: str
    style: OutputStyle
    run_id: str
    tip_version: str
    created_at: str
    totals: ManifestTotals
    spans: ManifestFile | None = None
    warnings: tuple[str, ...] = ()


class Manifest(ManifestHeader, frozen=True, kw_only=True):
    """A manifest as read back."""

    left_out: tuple[LeftOut, ...] = ()
    files: tuple[ManifestFile, ...] = ()


class Listing(ManifestHeader, frozen=True, kw_only=True):
    """A manifest as read back by those who only want to know its files: half the memory, where each is a call."""

    files: tuple[ListedFile, ...] = ()


AnyManifest = TypeVar("AnyManifest", Manifest, Listing)


class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer did. `left_out` counts calls that could not be exported; the manifest names them.

    `data_version` is the checksum of the list of its files; empty where the files were not listed again.
    """

    format: ExportFormat
    directory: Path | UPath
    files: int
    conversations: int
    turns: int
    bytes: int
    left_out: int = 0
    warnings: tuple[str, ...] = ()
    data_version: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and Dagster metadata."""
        return {**msgspec.structs.asdict(self), "directory": str(self.directory), "warnings": list(self.warnings)}


def listed_files(manifest: Manifest | Listing) -> tuple[ListedFile, ...]:
    """All files of an export but the manifest itself, in the order in which its data version lists them."""
    return (*manifest.files, *((manifest.spans,) if manifest.spans else ()))


def listed_version(manifest: Manifest) -> str:
    """The data version of the export that the manifest describes, whatever its files hold now."""
    listed = ListedFiles()
    for entry in listed_files(manifest):
        listed.add(entry.sha256, entry.path)
    return listed.sha256


def file_source(conversation: Conversation, dataset: str) -> FileSource:
    """The pointer back for one call; `dataset` stands in where the call names none."""
    origin = conversation.provenance
    common = {
        "dataset": conversation.dataset or dataset,
        "index": conversation.index,
        "scenario_id": conversation.scenario_id,
    }
    if origin is None:
        return FileSource(**common)
    return FileSource(
        **common,
        model=origin.model,
        endpoint=origin.endpoint,
        node=origin.node,
        call_id=origin.call_id,
        position=origin.position,
        request_hash=origin.request_hash,
        prompt_template=origin.prompt_template,
        prompt_hash=origin.prompt_hash,
        seed=origin.seed,
        attempt=origin.attempt,
        started_at=origin.started_at,
        tip_version=origin.tip_version,
        scripted=origin.scripted,
    )


def read_manifest(directory: Path, kind: type[AnyManifest] = Manifest) -> AnyManifest | None:
    """The manifest of the export in `directory`; None when there is none of ours."""
    try:
        data = (directory / MANIFEST_NAME).read_bytes()
    except OSError:
        return None
    return decode_manifest(data, kind)


def decode_manifest(data: bytes, kind: type[AnyManifest] = Manifest) -> AnyManifest | None:
    """The manifest in `data`; None when it is none of ours."""
    try:
        manifest = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return manifest if manifest.kind == MANIFEST_KIND else None
