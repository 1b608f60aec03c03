"""`tip generate`: the calls of a spec file into a JSONL file, in this process, without Dagster or database."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from tqdm import tqdm

from tip_assets.cli.budget_options import budget_options, with_options
from tip_assets.cli.console import (
    EXIT_DONE_WITH_REJECTS,
    counted,
    json_option,
    print_json,
    progress_bar,
    reports_failures,
    say,
)
from tip_assets.cli.stage_files import check_output
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_assets.generation.write_calls import WritingProgress, WritingSummary

_SAID_EVERY_SECONDS = 1.0
_MAKE_ROOM = "Make room, or lower TIP_DISK__RESERVE_GIGABYTES, and give the same command again."


@click.command("generate")
@click.argument("spec_file", metavar="SPEC.yaml", type=click.Path(path_type=Path))
@click.argument("output", metavar="OUT.jsonl", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--rehearsal", is_flag=True, help="Use the scripted server instead of a model.")
@click.option("--fresh", is_flag=True, help="Forget what an interrupted run kept, and start over.")
@budget_options
@json_option
@reports_failures
def generate(spec_file: Path, output: Path, rehearsal: bool, fresh: bool, as_json: bool, **how: Any) -> None:
    """Write the calls of SPEC.yaml to OUT.jsonl, without Dagster.

    Finished calls are kept in OUT.jsonl.parts until the file is complete, so a run that was interrupted or came out
    short goes on where it stopped. Answers that could not be used are in its folder rejects, with the reason. The
    calls hold personal data of their personas; each line lists it under annotations.extra.personal_facts, which
    `tip scrub` uses and removes. When less than disk.reserve_gigabytes is free on their disk, writing stops: OUT.jsonl
    then holds what is finished, and the same command goes on once there is room.

    \b
    tip generate my-calls.yaml calls.jsonl --rehearsal
    """
    from tip_assets.planning.spec_files import load_spec_file
    from tip_resources.storage.jsonl import write_conversations

    specs = load_spec_file(spec_file)
    if len(specs) != 1:
        raise BadInput(f"the file holds {len(specs)} data sets.", where=str(spec_file), mend="Give one per file.")
    spec = with_options(msgspec.structs.replace(specs[0], rehearsal=specs[0].rehearsal or rehearsal), how)
    check_output(output, "the output")
    parts = output.with_name(f"{output.name}.parts")
    room = _RoomBeside(output.resolve().parent)
    if short := room.shortage():
        raise TransientFailure(f"nothing was written: {short}. {_MAKE_ROOM}")
    if fresh:
        shutil.rmtree(parts, ignore_errors=True)
    _say_estimate(spec, project_home(), parts)
    with (
        progress_bar(spec.count, output.name) as bar,
        _written(spec, project_home(), parts, bar, room) as (
            written,
            summary,
        ),
    ):
        count = write_conversations(output, written())
    if count == spec.count:
        shutil.rmtree(parts)
    if as_json:
        told: dict[str, object] = {"rejected": summary.rejected, "failures": summary.failures}
        if count < spec.count:
            told["parts"] = str(parts)
        print_json({"asked": spec.count, "written": count, **told, "output": str(output)})
    else:
        say(f"{count} of {counted(spec.count, 'call')} written to {output}")
    if count < spec.count:
        if why := _why_short(summary):
            click.echo(f"tip: {why}", err=True)
        kept = "What is finished, and in rejects what could not be used, stays in"
        click.echo(f"tip: {kept} {parts}; the same command goes on from there, --fresh starts over.", err=True)
        raise SystemExit(EXIT_DONE_WITH_REJECTS)


class _RoomBeside:
    """Whether the disk of the output has room beyond the reserve, by the settings of the beginning."""

    def __init__(self, folder: Path) -> None:
        from tip_resources.settings.layers import load_settings

        self._folder, self._settings = folder, load_settings(project_home(), use_database=False)

    def shortage(self) -> str | None:
        """Why nothing more is to be written; None while there is room."""
        from tip_resources.upkeep.disk_room import shortage_on

        return shortage_on((self._folder,), self._settings)


def _why_short(summary: "WritingSummary") -> str:
    """What became of the answers that are not among the calls, most frequent first; empty when none came."""
    said = [
        f"{sum(counts.values())} {what}: " + ", ".join(f"{name} {count}" for name, count in _most_frequent(counts))
        for what, counts in (("calls could not be used", summary.rejected), ("requests failed", summary.failures))
        if counts
    ]
    return "; ".join(said)


def _most_frequent(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _say_estimate(spec: DatasetSpec, home: Path, parts: Path) -> None:
    from upath import UPath

    from tip_assets.cli.estimating import estimate_for
    from tip_assets.generation.estimate import in_words, measured_of
    from tip_resources.settings.layers import load_settings
    from tip_resources.storage.checkpoint import Checkpoint

    settings = load_settings(home, use_database=False)
    usages = Checkpoint(UPath(parts)).usages().values()
    found = estimate_for(spec, home, settings, measured=measured_of(usages, " before it was interrupted"))
    click.echo(in_words(found), err=True)


def write_preview(spec: DatasetSpec, home: Path, calls: int) -> list[Conversation]:
    """The first `calls` calls of a data set, scrubbed, as a person may look at them before going on."""
    from tip_assets.generation.acceptance import scrubbed
    from tip_assets.planning.domain_library import USER_FOLDER, load_library
    from tip_assets.planning.plan import call_plan_at
    from tip_assets.planning.recipes import read_recipe
    from tip_resources.settings.layers import load_settings

    few = msgspec.structs.replace(spec, count=min(calls, spec.count))
    library = load_library(spec.domain, home / USER_FOLDER)
    weights = read_recipe(load_settings(home, use_database=False).generation.recipe, home).weights_for(spec.domain)
    with (
        tempfile.TemporaryDirectory() as folder,
        progress_bar(few.count, "preview") as bar,
        _written(few, home, Path(folder), bar) as (written, _),
    ):
        return [scrubbed(call, call_plan_at(few, library, call.index or 0, weights)) for call in written()]


@contextmanager
def _written(
    spec: DatasetSpec, home: Path, parts: Path, bar: tqdm, room: _RoomBeside | None = None
) -> "Iterator[tuple[Callable[[], Iterator[Conversation]], WritingSummary]]":
    from upath import UPath

    from tip_assets.generation.glossary import prompt_by
    from tip_assets.generation.progress_line import ProgressLine
    from tip_assets.generation.spending import Spending, stopped_note
    from tip_assets.generation.stopping import StopsForRoom
    from tip_assets.generation.writing import write_plans
    from tip_assets.planning.domain_library import USER_FOLDER, load_library
    from tip_assets.planning.plan import call_plan_at, plan_calls
    from tip_assets.planning.recipes import read_recipe
    from tip_resources.fleet.fleet_servers import this_machine_alone
    from tip_resources.llm.prices import load_prices
    from tip_resources.settings.layers import load_settings
    from tip_resources.storage.checkpoint import Checkpoint

    library = load_library(spec.domain, home / USER_FOLDER)
    checkpoint = Checkpoint(UPath(parts))
    recipe = read_recipe(load_settings(home, use_database=False).generation.recipe, home)
    weights = recipe.weights_for(spec.domain)
    prices = load_prices(home)
    spending = Spending(spec.budget, prices, batch_api=spec.batch_api, earlier=checkpoint.usages().values())
    stop = StopsForRoom(room.shortage if room else lambda: None, spending)
    line, said = ProgressLine(time.monotonic, spending.report), [0.0]

    def advance(progress: "WritingProgress") -> None:
        bar.update(progress.kept - bar.n)
        line.heard(progress)
        if time.monotonic() - said[0] >= _SAID_EVERY_SECONDS:
            said[0] = time.monotonic()
            bar.set_postfix_str(line.short(progress))

    written = write_plans(
        spec,
        lambda: map(recipe.apply, plan_calls(spec, library, weights)),
        prompt=prompt_by(library, recipe),
        settings=lambda: load_settings(home, use_database=False),
        patience_seconds=0.0,
        checkpoint=checkpoint,
        delivered=None,
        on_endpoints=lambda found: click.echo(
            f"written by {', '.join(f'{item.model} at {item.url}' for item in found)}", err=True
        ),
        on_progress=advance,
        on_notice=lambda notice: click.echo(notice.text, err=True),
        spending=spending,
        fleet=this_machine_alone(home),
        stop=stop,
    )
    kept, asked = written.summary.kept, written.summary.asked
    if written.summary.stopped and kept < asked:
        note = stopped_note(written.summary.stopped, kept=kept, asked=asked)
        if stop.reason:
            note = f"{stop.reason}; {kept:,} of {asked:,} calls are kept. {_MAKE_ROOM}"
        click.echo(note, err=True)

    def with_facts() -> Iterator[Conversation]:
        for conversation in written.conversations():
            facts = call_plan_at(spec, library, conversation.index or 0, weights).facts
            extra = {**conversation.annotations.extra, "personal_facts": msgspec.to_builtins(facts)}
            annotations = msgspec.structs.replace(conversation.annotations, extra=extra)
            yield msgspec.structs.replace(conversation, annotations=annotations)

    yield with_facts, written.summary
