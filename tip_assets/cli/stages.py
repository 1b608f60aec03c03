"""`tip grade`: a quality stage on plain JSONL files, without Dagster.

Everything streams: one call is held at a time, besides what a stage must remember (fingerprints, ids).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tip_assets.cli.console import json_option, reports_failures
from tip_assets.cli.stage_files import StageCalls, check_files, input_argument, output_argument
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.jsonl import writing_jsonl

if TYPE_CHECKING:
    from tip_assets.quality.judged_calls import JudgeTier


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
