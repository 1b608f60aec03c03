"""One export while it is being put together: which calls may go in, the files, the totals, the manifest.

The formats (lex.py, csv_export.py, jsonl_export.py) drive it. Memory holds one call at a time.
"""

import importlib.metadata
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from tip_assets.exports.contact_id import contact_id
from tip_assets.exports.export_folder import building_folder
from tip_assets.exports.hashing_file import hashing_file
from tip_assets.exports.manifest import (
    MANIFEST_NAME,
    SPANS_NAME,
    ExportFormat,
    ExportSummary,
    LeftOut,
    ManifestFile,
    ManifestHeader,
    ManifestTotals,
    OutputStyle,
)
from tip_assets.exports.redacted_spans import spans_line
from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.personal_data import personal_facts
from tip_assets.quality.pii.extras import STAYS_AT_HOME
from tip_assets.quality.pii.styles import STYLES
from tip_assets.quality.scrubbing import redact, replaced_otherwise
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import PiiSpan
from tip_resources.storage.atomic import atomic_file
from tip_resources.storage.checksums import ListedFiles
from tip_resources.storage.seen_ids import SeenIds

# Warnings that only the end of the stream knows, for example how many calls were scrubbed on the way.
LateWarnings = Callable[[], Iterable[str]]


# The manifest's lists wait in memory up to here, then on disk: a set may have a million files.
_SPOOL_BYTES = 1 << 20


def no_warnings() -> tuple[str, ...]:
    """For writers whose caller has nothing to add."""
    return ()


class OutgoingCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call ready to leave. `spans` say what was replaced, in offsets of the text before; empty when raw."""

    conversation: Conversation
    contact_id: str
    spans: tuple[PiiSpan, ...]


class ExportBuild:
    """Made by `building_export`. A writer takes `calls`, adds files, and leaves out what cannot be written."""

    def __init__(
        self,
        folder: Path,
        export_format: ExportFormat,
        dataset: str,
        style: OutputStyle,
        key: bytes | None,
        contacts: SeenIds,
        spools: tuple[IO[bytes], IO[bytes], IO[bytes]],
    ) -> None:
        self.folder = folder
        self.format: ExportFormat = export_format
        self.dataset = dataset
        self.style: OutputStyle = style
        self._key = key
        self.files = self.conversations = self.turns = self.bytes = self.left_out = self.scripted = 0
        self._tagged_before = 0
        self.warnings: list[str] = []
        self._contacts = contacts
        self._listed = ListedFiles()
        self._file_lines, self._left_out_lines, self._span_lines = spools

    def calls(self, conversations: Iterable[Conversation]) -> Iterator[OutgoingCall]:
        """The calls that may leave, redacted in the build's style; the others are left out with the reason.

        Raises:
            BadInput: A call was never scrubbed (its `annotations.spans` is missing).
        """
        for conversation in conversations:
            contact = contact_id(conversation, self.dataset)
            if contact in self._contacts:
                self.leave_out(conversation.id, "another call has the same id")
                continue
            if not any(turn.text.strip() for turn in conversation.turns):
                self.leave_out(conversation.id, "nobody says anything in it")
                continue
            if not _is_encodable(conversation):
                self.leave_out(conversation.id, "its text holds half of a character (a lone surrogate)")
                continue
            if self.style != "raw" and not _spans_fit(conversation):
                self.leave_out(conversation.id, "its spans of personal data lie outside its text")
                continue
            if (outgoing := self._outgoing(conversation, contact)) is not None:
                self._contacts.add(contact)
                yield outgoing

    def _outgoing(self, conversation: Conversation, contact: str) -> OutgoingCall | None:
        """The call as it may leave; None, and left out, when one of the facts it carries is still in it."""
        if self.style == "raw":
            return OutgoingCall(conversation=_without_facts(conversation), contact_id=contact, spans=())
        facts = _facts_of(conversation)
        redacted = redact(conversation, self.style, facts, key=self._key)
        if leaked := leaked_facts(redacted, facts):
            self.leave_out(conversation.id, f"could not be scrubbed of {', '.join(leaked)}")
            return None
        self._tagged_before += replaced_otherwise(conversation, self.style)
        return OutgoingCall(conversation=redacted, contact_id=contact, spans=conversation.annotations.spans or ())

    def leave_out(self, conversation_id: str, reason: str) -> None:
        """Notes a call that cannot be exported; the manifest names every one."""
        self.left_out += 1
        self._left_out_lines.write(_line(LeftOut(_encodable(conversation_id), reason)))

    def count_call(self, call: OutgoingCall, turns: int) -> None:
        """Adds one exported call to the totals."""
        self.conversations += 1
        self.turns += turns
        origin = call.conversation.provenance
        self.scripted += origin is not None and origin.scripted
        if self.style != "raw":
            self._span_lines.write(_line(spans_line(call.conversation, call.contact_id, call.spans)))

    def add_file(self, entry: ManifestFile) -> None:
        """Lists a finished file."""
        self.files += 1
        self.bytes += entry.bytes
        self._listed.add(entry.sha256, entry.path)
        self._file_lines.write(_line(entry))

    def finish(self, run_id: str, late_warnings: LateWarnings) -> None:
        """Writes the manifest, the last file of the export."""
        if not self.conversations:
            self.warnings.insert(0, "The export holds no calls.")
        if self.left_out:
            self.warnings.append(f"{self.left_out} calls could not be exported; {MANIFEST_NAME} says which and why.")
        if self._tagged_before:
            self.warnings.append(
                f"{self._tagged_before} calls had been redacted in another style before; what was replaced then "
                "stays as it was, for the original is gone."
            )
        self.warnings.extend(late_warnings())
        header = ManifestHeader(
            format=self.format,
            dataset=self.dataset,
            style=self.style,
            run_id=run_id,
            tip_version=importlib.metadata.version("transcript-intelligence-platform"),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            totals=ManifestTotals(
                files=self.files,
                conversations=self.conversations,
                turns=self.turns,
                bytes=self.bytes,
                left_out=self.left_out,
                scripted_conversations=self.scripted,
            ),
            spans=self._write_spans(),
            warnings=tuple(self.warnings),
        )
        with atomic_file(self.folder / MANIFEST_NAME) as file:
            file.write(msgspec.json.format(msgspec.json.encode(header), indent=1).removesuffix(b"\n}"))
            _write_list(file, "left_out", self._left_out_lines)
            _write_list(file, "files", self._file_lines)
            file.write(b"\n}\n")

    def _write_spans(self) -> ManifestFile | None:
        if self.style == "raw":
            return None
        self._span_lines.seek(0)
        with hashing_file(self.folder / SPANS_NAME) as file:
            for line in self._span_lines:
                file.write(line)
        self._listed.add(file.sha256, SPANS_NAME)
        return ManifestFile(path=SPANS_NAME, sha256=file.sha256, bytes=file.bytes, rows=self.conversations)

    def summary(self, directory: Path) -> ExportSummary:
        """What the writer returns; `directory` is where the finished export lies."""
        return ExportSummary(
            format=self.format,
            directory=directory,
            files=self.files,
            conversations=self.conversations,
            turns=self.turns,
            bytes=self.bytes,
            left_out=self.left_out,
            warnings=tuple(self.warnings),
            data_version=self._listed.sha256,
        )


@contextmanager
def building_export(
    directory: Path, export_format: ExportFormat, *, dataset: str, style: OutputStyle, key: bytes | None = None
) -> Iterator[ExportBuild]:
    """An export that takes the place of `directory` when the block ends well, and leaves it alone otherwise.

    Raises:
        BadInput: `directory` holds something else, or `style` is not one of the known ones.
    """
    if style not in (*STYLES, "raw"):
        raise BadInput(f"{style!r} is not a redaction style.", mend=f"Use {', '.join(STYLES)}.")
    with (
        tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as file_lines,
        tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as left_out_lines,
        tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as span_lines,
        SeenIds() as contacts,
        building_folder(directory, export_format) as folder,
    ):
        spools = file_lines, left_out_lines, span_lines
        yield ExportBuild(folder, export_format, dataset, style, key, contacts, spools)


def _spans_fit(conversation: Conversation) -> bool:
    """Whether all spans mark text that is there: a file can claim anything.

    Raises:
        BadInput: The call was never scrubbed.
    """
    spans, turns = conversation.annotations.spans, conversation.turns
    if spans is None:
        raise BadInput(
            "the call was never scrubbed, so it cannot be exported.",
            where=f"call {_encodable(conversation.id)}",
            mend="Run `tip scrub` on the set first.",
        )
    return all(
        0 <= span.turn < len(turns) and 0 <= span.start < span.end <= len(turns[span.turn].text) for span in spans
    )


def _facts_of(conversation: Conversation) -> tuple[PersonalFact, ...]:
    """What `tip generate` left of its personas; none when the field is missing or somebody else's."""
    try:
        return personal_facts(conversation)
    except BadInput:
        return ()


def _without_facts(conversation: Conversation) -> Conversation:
    """Raw means the words as they were said; the list of everybody's personal data stays at home even so."""
    annotations = conversation.annotations
    extra = {key: value for key, value in annotations.extra.items() if key not in STAYS_AT_HOME}
    return msgspec.structs.replace(conversation, annotations=msgspec.structs.replace(annotations, extra=extra))


def _is_encodable(conversation: Conversation) -> bool:
    try:
        msgspec.json.encode(conversation)
    except UnicodeEncodeError:
        return False
    return True


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _write_list(file: IO[bytes], key: str, lines: IO[bytes]) -> None:
    file.write(b',\n "' + key.encode() + b'": [')
    lines.seek(0)
    before = b"\n  "
    for line in lines:
        file.write(before + line.rstrip(b"\n"))
        before = b",\n  "
    file.write(b"\n ]" if before.startswith(b",") else b"]")
