"""`tip grade`, `tip scrub`: the quality stages on plain JSONL files, without Dagster.

Everything streams: one call is held at a time, besides what a stage must remember (fingerprints, ids).
"""

import os
from collections.abc import Iterator
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
    from tip_assets.quality.judged_calls import JudgeTier
    from tip_assets.quality.pii.styles import RedactionStyle


@click.command("grade")
@input_argument
@output_argument
@click.option(
    "--tier",
    type=click.Choice(["local", "network", "openai"]),
    default="local",
    show_default=True,
    help="Who grades. local: measures the form of a call, no model. network: a model of yours judges. openai: a "
    "paid API judges.",
)
@click.option(
    "--rehearsal", is_flag=True, help="With --tier network: ask the scripted server; its grades mean nothing."
)
@json_option
@reports_failures
def grade(input_file: Path, output_file: Path, tier: str, rehearsal: bool, as_json: bool) -> None:
    """Copy IN.jsonl to OUT.jsonl with a grade on every call, under annotations.grade.

    Realism, coherence, naturalness and overall are 0-5; the named metrics are 0-1. docs/grading.md says
    what each of them measures. A judge sees redacted text only.
    """
    if rehearsal and tier != "network":
        raise click.UsageError("--rehearsal goes with --tier network.")
    check_files(input_file, output_file, None)
    calls = StageCalls(input_file, "grade")
    if tier == "local":
        graded = _measured(calls)
    else:
        graded = _judged(calls, "openai" if tier == "openai" else "network", rehearsal)
    totals = dict.fromkeys(("realism", "coherence", "naturalness", "overall"), 0.0)
    count = 0
    with writing_jsonl(output_file) as writer:
        for conversation in graded:
            writer.write(conversation)
            if given := conversation.annotations.grade:
                count += 1
                for name in totals:
                    totals[name] += getattr(given, name)
    means = {name: round(total / count, 3) if count else None for name, total in totals.items()}
    said = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items() if mean is not None)
    summary = {"graded": count, "tier": tier, "mean": means}
    calls.finish(summary, f"{count} calls graded, on average {said or 'nothing'} of 5", output_file, as_json)


def _measured(calls: StageCalls) -> Iterator[Conversation]:
    from tip_assets.quality.grading import grade_locally

    for conversation in calls.read():
        annotations = msgspec.structs.replace(conversation.annotations, grade=grade_locally(conversation))
        yield msgspec.structs.replace(conversation, annotations=annotations)


def _judged(calls: StageCalls, tier: "JudgeTier", rehearsal: bool) -> Iterator[Conversation]:
    from tip_assets.quality.judged_calls import judged_calls
    from tip_resources.fleet.fleet_servers import this_machine_alone
    from tip_resources.home import project_home
    from tip_resources.settings.layers import load_settings

    settings = load_settings(project_home(), use_database=False)
    return judged_calls(
        calls.read(),
        tier=tier,
        settings=settings,
        environ=os.environ,
        rehearsal=rehearsal,
        on_ungraded=calls.reject,
        fleet=this_machine_alone(project_home()),
    )


@click.command("scrub")
@input_argument
@output_argument
@click.option("--report", type=FILE, help="Write where personal data was found to this JSON file.")
@click.option(
    "--style",
    type=click.Choice(["type_tag", "pii"]),
    default="type_tag",
    show_default=True,
    help="Write [NAME], [PHONE], ... or [PII] in the place of personal data.",
)
@json_option
@reports_failures
def scrub(input_file: Path, output_file: Path, report: Path | None, style: str, as_json: bool) -> None:
    """Copy IN.jsonl to OUT.jsonl with the personal data replaced.

    Facts listed under annotations.extra.personal_facts (as `tip generate` writes them) are found in any
    form; everything else by patterns. A call in which a known fact is left is not written. The report is
    {"spans": [{"id", "turn", "start", "end", "type", "source"}], "seconds"}, offsets into the input text.
    """
    check_files(input_file, output_file, report)
    calls = StageCalls(input_file, "scrub")
    with writing_jsonl(output_file) as writer, writing_report(report, "spans") as spans:
        for conversation in calls.read():
            _scrub_one(conversation, "pii" if style == "pii" else "type_tag", writer, spans, calls)
        spans.close_with(seconds=calls.seconds())
    summary = {"scrubbed": writer.count, "spans": spans.count}
    text = f"{writer.count} calls scrubbed, {spans.count} places of personal data replaced"
    calls.finish(summary, text, output_file, as_json)


def _scrub_one(
    conversation: Conversation, style: "RedactionStyle", writer: JsonlWriter, spans: JsonReport, calls: StageCalls
) -> None:
    from tip_assets.quality.leaks import leaked_facts
    from tip_assets.quality.personal_data import find_spans, personal_facts
    from tip_assets.quality.scrubbing import redact

    try:
        facts = personal_facts(conversation)
    except BadInput as error:
        calls.reject(str(error))
        return
    found = find_spans(conversation, facts)
    annotations = msgspec.structs.replace(conversation.annotations, spans=found)
    redacted = redact(msgspec.structs.replace(conversation, annotations=annotations), style, facts)
    leaked = leaked_facts(redacted, facts)
    if leaked:
        calls.reject(f"call {conversation.id}: could not scrub {', '.join(leaked)}; the call is left out.")
        return
    for span in found:
        spans.add({"id": conversation.id, **msgspec.to_builtins(span)})
    writer.write(redacted)
