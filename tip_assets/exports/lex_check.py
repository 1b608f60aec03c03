"""The check of a finished Lex export: what lies on the disk, against the manifest and the schema."""

import hashlib
from pathlib import Path

import msgspec

from tip_assets.exports.lex import MINIMUM_TURNS, turn_warnings
from tip_assets.exports.lex_schema import lex_problems
from tip_assets.exports.manifest import MANIFEST_NAME, ListedFile, Listing, read_manifest

# An auditor wants the first few and the count; a broken disk would otherwise list every file.
MAX_ERRORS = 50


class LexCheck(msgspec.Struct, frozen=True, kw_only=True):
    """`errors` make the export unusable and are at most `MAX_ERRORS`; `warnings` do not."""

    files: int
    turns: int
    bytes: int
    bad_files: int
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether Lex would take every file and every file is the one that was written."""
        return not self.errors


def check_lex_export(directory: Path, *, minimum_turns: int = MINIMUM_TURNS) -> LexCheck:
    """Reads every file of the export in `directory` again.

    Fails what is missing, changed since it was written, not listed, or not acceptable to Lex; warns when
    there are fewer turns than Lex asks for.
    """
    manifest = read_manifest(directory, Listing)
    if manifest is None or manifest.format != "lex":
        return LexCheck(
            files=0,
            turns=0,
            bytes=0,
            bad_files=0,
            errors=(f"{MANIFEST_NAME} is missing or is not that of a Lex export.",),
            warnings=(),
        )
    errors: list[str] = []
    contacts: set[str] = set()
    turns = size = bad_files = 0
    for entry in manifest.files:
        problem, contact, file_turns = _check_file(directory, entry)
        if not problem and contact in contacts:
            problem = "another file has the same ContactId"
        contacts.add(contact)
        turns, size = turns + file_turns, size + entry.bytes
        if problem:
            bad_files += 1
            errors.append(f"{entry.path}: {problem}.")
    listed = {entry.path for entry in manifest.files}
    strays = sorted(
        path.relative_to(directory).as_posix()
        for path in directory.glob("[0-9]*/**/*.json")
        if path.relative_to(directory).as_posix() not in listed
    )
    errors.extend(f"{stray}: not in {MANIFEST_NAME}." for stray in strays)
    return LexCheck(
        files=len(manifest.files),
        turns=turns,
        bytes=size,
        bad_files=bad_files + len(strays),
        errors=tuple(errors[:MAX_ERRORS]),
        warnings=tuple(dict.fromkeys((*turn_warnings(turns, minimum_turns), *manifest.warnings))),
    )


def _check_file(directory: Path, entry: ListedFile) -> tuple[str, str, int]:
    """The problem (empty when none), the ContactId and the number of turns."""
    try:
        data = (directory / entry.path).read_bytes()
    except OSError:
        return "missing or unreadable", entry.contact_id, 0
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        return "changed since it was written (its checksum differs)", entry.contact_id, 0
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "not JSON", entry.contact_id, 0
    if problems := lex_problems(document):
        return "; ".join(problems), entry.contact_id, 0
    return "", document["CustomerMetadata"]["ContactId"], len(document["Transcript"])
