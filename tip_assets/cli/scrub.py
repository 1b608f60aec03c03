"""`tip scrub`: a JSONL file with its personal data replaced."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tip_assets.cli.console import json_option, reports_failures
from tip_assets.cli.stage_files import FILE, StageCalls, check_files, input_argument, output_argument
from tip_assets.quality.json_report import JsonReport, writing_report
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.storage.jsonl import JsonlWriter, writing_jsonl

if TYPE_CHECKING:
    from tip_assets.quality.scrubbing import FindMore
    from tip_resources.domain.redaction import RedactionStyle


@click.command("scrub")
@input_argument
@output_argument
@click.option("--report", type=FILE, help="Write where personal data was found to this JSON file.")
@click.option(
    "--style",
    type=click.Choice(["type_tag", "pii", "surrogate", "hash"]),
    default="type_tag",
    show_default=True,
    help="What stands in the place of personal data: [NAME], [PII], a made-up value, or [NAME_3F9A2C51].",
)
@click.option("--presidio", is_flag=True, help="Search with Presidio's patterns as well (extra presidio; slow).")
@json_option
@reports_failures
def scrub(
    input_file: Path, output_file: Path, report: Path | None, style: "RedactionStyle", presidio: bool, as_json: bool
) -> None:
    """Copy IN.jsonl to OUT.jsonl with the personal data replaced.

    \b
    tip scrub calls.jsonl clean.jsonl --report places.json
    tip scrub calls.jsonl training.jsonl --style surrogate

    Facts listed under annotations.extra.personal_facts (as `tip generate` writes them) are found in any
    form; everything else by patterns. A call in which a known fact is left is not written. The report is
    {"spans": [{"id", "turn", "start", "end", "type", "source", "entity"}], "seconds"}, offsets into the input
    text; spans of one fact have the same entity.
    """
    check_files(input_file, output_file, report)
    calls = StageCalls(input_file, "scrub")
    also = None
    if presidio:
        from tip_assets.quality.pii.presidio import presidio_finder

        also = presidio_finder()
    with writing_jsonl(output_file) as writer, writing_report(report, "spans") as spans:
        for conversation in calls.read():
            _scrub_one(conversation, style, also, writer, spans, calls)
        spans.close_with(seconds=calls.seconds())
    summary = {"scrubbed": writer.count, "spans": spans.count}
    text = f"{writer.count} calls scrubbed, {spans.count} places of personal data replaced"
    calls.finish(summary, text, output_file, as_json)


def _scrub_one(
    conversation: Conversation,
    style: "RedactionStyle",
    also: "FindMore | None",
    writer: JsonlWriter,
    spans: JsonReport,
    calls: StageCalls,
) -> None:
    from tip_assets.quality.leaks import leaked_facts
    from tip_assets.quality.personal_data import personal_facts
    from tip_assets.quality.scrubbing import redact, with_spans
    from tip_resources.home import project_home
    from tip_resources.redaction_key import redaction_key

    try:
        facts = personal_facts(conversation)
    except BadInput as error:
        calls.reject(str(error))
        return
    found = with_spans(conversation, facts, also)
    key = redaction_key(project_home(), conversation.dataset) if style in ("surrogate", "hash") else None
    redacted = redact(found, style, facts, key=key)
    leaked = leaked_facts(redacted, facts)
    if leaked:
        calls.reject(f"call {conversation.id}: could not scrub {', '.join(leaked)}; the call is left out.")
        return
    for span in found.annotations.spans or ():
        spans.add({"id": conversation.id, **msgspec.to_builtins(span)})
    writer.write(redacted)
