"""CSV export: turns.csv with a row per turn and calls.csv with a row per call, with a manifest.

How cells are written is in csv_cells.py.
"""

from collections.abc import Iterable
from pathlib import Path

from tip_assets.exports.csv_cells import Cell, csv_rows
from tip_assets.exports.export_build import LateWarnings, building_export, no_warnings
from tip_assets.exports.hashing_file import hashing_file
from tip_assets.exports.manifest import ExportSummary, FileSource, ManifestFile, OutputStyle, file_source
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.grade import Grade
from tip_resources.domain.provenance import Provenance

TURNS_FILE = "turns.csv"
CALLS_FILE = "calls.csv"

TURN_COLUMNS = (
    "conversation_id",
    "dataset",
    "turn",
    "speaker",
    "text",
    "domain",
    "scenario_id",
    "language",
    "grade_overall",
    "model",
    "scripted",
)
CALL_COLUMNS = (
    "conversation_id",
    "dataset",
    "index",
    "domain",
    "scenario_id",
    "language",
    "turns",
    "words",
    "grade_realism",
    "grade_coherence",
    "grade_naturalness",
    "grade_overall",
    "grader",
    "model",
    "scripted",
    "endpoint",
    "node",
    "tier",
    "prompt_template",
    "prompt_hash",
    "request_hash",
    "call_id",
    "position",
    "seed",
    "attempt",
    "started_at",
    "tokens_in",
    "tokens_out",
    "tip_version",
)


def write_csv(
    conversations: Iterable[Conversation],
    directory: Path,
    *,
    dataset: str,
    style: OutputStyle = "type_tag",
    key: bytes | None = None,
    run_id: str = "",
    late_warnings: LateWarnings = no_warnings,
) -> ExportSummary:
    """Writes `turns.csv`, `calls.csv` and the manifest; `directory` appears whole.

    Args:
        conversations: Scrubbed calls: original text with `annotations.spans`; read once, as a stream.
        directory: An earlier CSV export there is replaced when the new one is complete.
        dataset: Name in the manifest, and of calls that carry none.
        style: How personal data is replaced (pii/styles.py), or `raw` (text as it is).
        key: Of the data set; surrogates and hash tags want it.
        run_id: Dagster run, for the manifest.
        late_warnings: Asked once the stream has ended.

    Raises:
        BadInput: A call was never scrubbed, or the folder holds something else.
    """
    with building_export(directory, "csv", dataset=dataset, style=style, key=key) as build:
        with hashing_file(build.folder / TURNS_FILE) as turns, hashing_file(build.folder / CALLS_FILE) as calls:
            turns.write(csv_rows([TURN_COLUMNS]))
            calls.write(csv_rows([CALL_COLUMNS]))
            for call in build.calls(conversations):
                source = file_source(call.conversation, dataset)
                turns.write(csv_rows(_turn_rows(call.conversation, source)))
                calls.write(csv_rows([_call_row(call.conversation, source)]))
                build.count_call(call, len(call.conversation.turns))
        build.add_file(ManifestFile(path=TURNS_FILE, sha256=turns.sha256, bytes=turns.bytes, rows=build.turns))
        build.add_file(ManifestFile(path=CALLS_FILE, sha256=calls.sha256, bytes=calls.bytes, rows=build.conversations))
        build.finish(run_id, late_warnings)
    return build.summary(directory)


def _turn_rows(conversation: Conversation, source: FileSource) -> Iterable[tuple[Cell, ...]]:
    grade = conversation.annotations.grade
    after = (
        conversation.domain,
        conversation.scenario_id,
        conversation.language,
        grade.overall if grade else None,
        source.model,
        _truth(source.scripted) if conversation.provenance else None,
    )
    for number, turn in enumerate(conversation.turns):
        yield (conversation.id, source.dataset, number, turn.speaker, turn.text, *after)


def _call_row(conversation: Conversation, source: FileSource) -> tuple[Cell, ...]:
    return (
        conversation.id,
        source.dataset,
        conversation.index,
        conversation.domain,
        conversation.scenario_id,
        conversation.language,
        len(conversation.turns),
        sum(len(turn.text.split()) for turn in conversation.turns),
        *_grade_cells(conversation.annotations.grade),
        *_provenance_cells(conversation.provenance),
    )


def _grade_cells(grade: Grade | None) -> tuple[Cell, ...]:
    if grade is None:
        return (None,) * 5
    return (grade.realism, grade.coherence, grade.naturalness, grade.overall, grade.grader)


def _provenance_cells(origin: Provenance | None) -> tuple[Cell, ...]:
    if origin is None:
        return (None,) * 16
    return (
        origin.model,
        _truth(origin.scripted),
        origin.endpoint,
        origin.node,
        origin.tier,
        origin.prompt_template,
        origin.prompt_hash,
        origin.request_hash,
        origin.call_id,
        origin.position,
        origin.seed,
        origin.attempt,
        origin.started_at,
        origin.tokens_in,
        origin.tokens_out,
        origin.tip_version,
    )


def _truth(value: bool) -> str:
    return "true" if value else "false"
