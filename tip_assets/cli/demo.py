"""`tip demo`: the whole product once, on this machine, in about a minute."""

import json
import os
import shutil
import time
from pathlib import Path

import click

from tip_assets.cli.console import EXIT_FAILED, json_option, print_json, reports_failures, say
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.home import project_home, state_folder
from tip_resources.storage.atomic import write_atomically
from tip_resources.storage.folders import local_folder

REQUEST = "Generate {count} healthcare transcripts with frustrated callers"


@click.command("demo")
@click.option("--count", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many calls.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-output"),
    show_default=True,
    help="Folder for the result; an earlier demo's is replaced.",
)
@json_option
@reports_failures
def demo(count: int, output: Path, as_json: bool) -> None:
    """Make healthcare calls with frustrated callers, from the sentence to the Lex export, through Dagster.

    Without a model the built-in rehearsal server writes the calls: it is scripted, not a language model,
    and everything made with it says so. With TIP_LLM_URL set (LM Studio, Ollama, vLLM, llama-server; and
    TIP_LLM_MODEL, TIP_LLM_API_KEY where needed) that server writes them.
    """
    from tip_assets.cli.following import exports_of, follow, summary_of
    from tip_assets.cli.services import services
    from tip_resources.launch.supervisor import running

    home, started = project_home(), time.monotonic()
    _refuse_foreign_folder(output)
    url = os.environ.get("TIP_LLM_URL")
    if url and running(home):
        raise BadInput(
            "TIP_LLM_URL is set here, but the running services were started without this terminal's environment.",
            mend="Stop `tip up` first, or unset TIP_LLM_URL.",
        )
    if url:
        say(f"calls are written by {_model_at(home)}")
    else:
        say("no TIP_LLM_URL: calls are written by the scripted rehearsal server, which is not a language model.")
    with services(home):
        dataset = _ask(home, count, is_rehearsal=not url)
        say(f"made as data set {dataset}")
        outcome = follow(home, dataset)
    if outcome.state != "done":
        raise TransientFailure(f"the demo's run ended as {outcome.state}. {outcome.note}")
    summary = {**summary_of(home, dataset), "wall_seconds": round(time.monotonic() - started, 1)}
    del summary["exports"]
    with local_folder(exports_of(home, dataset), state_folder(home) / "scratch") as exports:
        _lay_out(exports, output, summary)
    if as_json:
        print_json(summary)
    else:
        _say_result(output, summary)
    if summary["exported"] != count:
        click.echo(f"tip: {summary['exported']} of {count} calls were exported; the report says why.", err=True)
        raise SystemExit(EXIT_FAILED)


def _model_at(home: Path) -> str:
    """The model that TIP_LLM_URL leads to; a demo says at once when there is none, instead of waiting for it."""
    import asyncio

    from tip_resources.llm.endpoints import resolve_endpoints
    from tip_resources.settings.layers import load_settings

    found = asyncio.run(resolve_endpoints(load_settings(home), domain="healthcare", environ=os.environ))
    return f"{found[0].model} at {found[0].url}"


def _refuse_foreign_folder(output: Path) -> None:
    if output.is_dir() and any(output.iterdir()) and not (output / "summary.json").is_file():
        raise BadInput(
            f"{output} holds other files.", mend="Choose another --output: an earlier result there is replaced."
        )


def _ask(home: Path, count: int, *, is_rehearsal: bool) -> str:
    import getpass
    from datetime import UTC, datetime

    from msgspec.structs import replace

    from tip_assets.planning.domain_library import USER_FOLDER, load_libraries
    from tip_assets.planning.request_parser import parse_request
    from tip_resources.database.connection import database
    from tip_resources.database.requests import RequestStore
    from tip_resources.domain.seeds import seed_for

    store = RequestStore(database(home))
    text = REQUEST.format(count=count)
    draft = parse_request(text, load_libraries(home / USER_FOLDER)).drafts[0]
    # A new data set each time: its name gives it its seed, so the calls differ from the last demo's.
    number = 1
    while store.get(f"demo-{number}") is not None:
        number += 1
    name = f"demo-{number}"
    spec = draft.to_spec(
        name=name,
        seed=seed_for(name),
        requested_by=getpass.getuser(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        query=text,
    )
    return store.add(replace(spec, rehearsal=is_rehearsal), source="cli").dataset


def _lay_out(exports: Path, output: Path, summary: dict[str, object]) -> None:
    """Copies the exports beside `output`, then puts the copy in its place."""
    new = output.with_name(f".{output.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(exports / "lex", new / "lex")
    shutil.copytree(exports / "csv", new / "csv")
    shutil.copy2(exports / "jsonl" / "conversations.jsonl", new)
    shutil.copy2(exports / "report" / "report.html", new)
    write_atomically(new / "summary.json", json.dumps(summary, indent=2) + "\n")
    old = output.with_name(f".{output.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if output.exists():
        output.rename(old)
    new.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def _say_result(output: Path, summary: dict[str, object]) -> None:
    say()
    for key in ("requested", "delivered", "rejected", "duplicates_removed", "passed", "exported"):
        say(f"{key + ':':<20}{summary[key]}")
    say(f"{'model:':<20}{summary['model']}{' (scripted, not a language model)' if summary['scripted'] else ''}")
    say(f"{'seconds:':<20}{summary['wall_seconds']}")
    say()
    say(f"read this first:    {output / 'report.html'}")
    say(f"for Amazon Lex:     {output / 'lex'}")
    say(f"as tables:          {output / 'csv'}")
    say(f"every call, a line: {output / 'conversations.jsonl'}")
    say("in Dagster:         tip up, then http://localhost:3000")
