"""`tip request`: from plain words to data sets in the queue."""

import asyncio
import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tip_assets.cli.budget_options import budget_options, with_options
from tip_assets.cli.console import json_option, print_json, reports_failures, say
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.domain.seeds import seed_for
from tip_resources.home import project_home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tip_assets.planning.dataset_draft import ParsedRequest
    from tip_assets.planning.domain_library import DomainLibrary
    from tip_resources.database.requests import DatasetRequest


@click.command("request")
@click.argument("text")
@click.option("--name", help="Name of the data set (also its partition key). Made from the request by default.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Repeat a plan exactly; from the name by default.")
@click.option("--preview", type=click.IntRange(0, 20), default=0, metavar="N", help="Write and show N calls first.")
@click.option("--wait", is_flag=True, help="Follow until the data set is made; starts what is not running.")
@click.option("--rehearsal", is_flag=True, help="Use the scripted server instead of a model, and say so everywhere.")
@click.option("--model", help="Ask for this model.")
@click.option("--tier", type=click.Choice(["local", "network", "openai"]), help="Use endpoints of this tier only.")
@click.option("--grading", type=click.Choice(["local", "network", "openai"]), help="Who grades: see tip grade --help.")
@click.option("--priority", type=click.Choice(["low", "normal", "high"]), help="How soon, beside other data sets.")
@click.option("--yes", is_flag=True, help="Do not ask after a preview.")
@budget_options
@json_option
@reports_failures
def request(
    text: str,
    name: str | None,
    seed: int | None,
    preview: int,
    wait: bool,
    rehearsal: bool,
    model: str | None,
    tier: str | None,
    grading: str | None,
    priority: str | None,
    yes: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Ask for data sets in plain words.

    \b
    tip request "Generate 500 healthcare transcripts with frustrated callers"
    tip request "200 retail returns and 100 telecom outages, long calls" --preview 3
    tip request "2000 retail returns" --tier openai --model gpt-4.1-mini --batch-api --max-cost 5
    """
    from tip_assets.cli.following import waits_for

    home = project_home()
    overrides = {"rehearsal": rehearsal, "model": model, "tier": tier, "grading": grading, "priority": priority}
    specs = _specs(text, home, name=name, seed=seed, overrides=overrides, quiet=as_json)
    specs = [with_options(spec, how) for spec in specs]
    _say_estimates(specs, home, quiet=as_json)
    if preview and not _preview(specs[0], home, preview, ask=not yes):
        raise click.Abort
    rows = _add(specs, home)
    if as_json and not wait:
        print_json({"datasets": [_answer(row, waits_for(home)) for row in rows]})
        return
    for row in rows:
        if row.state in ("failed", "cancelled", "paused"):
            raise BadInput(
                f"{row.dataset} was asked for before and is {row.state}.",
                mend=f"`tip resume {row.dataset}` takes it up again (what is finished is kept); or choose another "
                "--name.",
            )
        say(f"asked for: {row.dataset} ({row.spec.count} {row.spec.domain} calls)")
    if wait:
        _wait(home, [row.dataset for row in rows], as_json)
    else:
        _say_what_next(home, rows[0].dataset)


def _answer(row: "DatasetRequest", waits: str | None) -> dict[str, Any]:
    waits = waits if row.state == "requested" else None
    return {"dataset": row.dataset, "id": row.id, "state": row.state, "waits": waits}


def _specs(
    text: str,
    home: Path,
    *,
    name: str | None,
    seed: int | None,
    overrides: dict[str, object],
    quiet: bool,
) -> list[DatasetSpec]:
    from msgspec.structs import replace

    from tip_assets.planning.domain_library import USER_FOLDER, load_libraries
    from tip_assets.planning.request_parser import suggest_name
    from tip_resources.database.connection import database
    from tip_resources.database.requests import RequestStore

    libraries = load_libraries(home / USER_FOLDER)
    parsed = asyncio.run(_refined(text, home, libraries, overrides))
    if name and len(parsed.drafts) > 1:
        raise BadInput(
            f"--name names one data set, but the request asks for {len(parsed.drafts)}.",
            mend="Ask for them one at a time, or leave --name out.",
        )
    store = RequestStore(database(home))
    taken: set[str] = set()
    specs = []
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for draft in parsed.drafts:
        chosen = name or suggest_name(draft, lambda key: key in taken or store.get(key) is not None)
        taken.add(chosen)
        spec = draft.to_spec(
            name=chosen,
            seed=seed_for(chosen) if seed is None else seed,
            requested_by=getpass.getuser(),
            created_at=now,
            query=text,
        )
        specs.append(replace(spec, **{key: value for key, value in overrides.items() if value}))
    if not quiet:
        _say_understood(parsed)
    return specs


def _say_estimates(specs: list[DatasetSpec], home: Path, *, quiet: bool) -> None:
    """What each set will take; quietly, only whether its budget can be kept is found out."""
    from tip_assets.cli.estimating import estimate_for, measured_before
    from tip_assets.generation.estimate import in_words
    from tip_resources.fleet.fleet_servers import fleet_of
    from tip_resources.settings.layers import load_settings

    settings, fleet = load_settings(home), fleet_of(home)
    for spec in specs:
        if quiet and spec.budget.max_cost is None:
            continue
        found = estimate_for(spec, home, settings, measured=measured_before(spec, home, settings), fleet=fleet)
        if not quiet:
            say(f"estimate:       {in_words(found)}")


def _say_understood(parsed: "ParsedRequest") -> None:
    for draft in parsed.drafts:
        say(f"understood:     {', '.join(draft.understood) or '(nothing)'}")
        if draft.defaults:
            say(f"by default:     {', '.join(draft.defaults)}")
        for note in draft.notes:
            say(f"note:           {note}")
    if parsed.not_understood:
        words = ", ".join(repr(word) for word in parsed.not_understood)
        say(f"not understood: {words} (and so not used)")


async def _refined(
    text: str, home: Path, libraries: "Mapping[str, DomainLibrary]", overrides: dict[str, object]
) -> "ParsedRequest":
    """What the parser understood; a model, where one is running, is asked to place the rest."""
    from tip_assets.planning.request_parser import parse_request
    from tip_assets.planning.request_refinement import refine_request
    from tip_resources.fleet.fleet_servers import fleet_of
    from tip_resources.llm.ask import ask_json
    from tip_resources.llm.endpoints import NoEndpoint, resolve_endpoints
    from tip_resources.settings.layers import load_settings

    parsed = parse_request(text, libraries)
    if not parsed.not_understood or overrides.get("rehearsal"):
        return parsed
    settings = load_settings(home)
    try:
        endpoints = await resolve_endpoints(
            settings, domain="", role="refine", fleet=fleet_of(home), waits=False, environ=os.environ
        )
    except NoEndpoint:
        return parsed
    return await refine_request(
        parsed,
        text,
        libraries,
        ask=lambda messages, schema: ask_json(endpoints[0], messages, schema, settings.engine),
    )


def _preview(spec: DatasetSpec, home: Path, calls: int, *, ask: bool) -> bool:
    from tip_assets.cli.generate import write_preview

    for conversation in write_preview(spec, home, calls):
        say(f"\n--- {conversation.domain} call {conversation.index} ---")
        for turn in conversation.turns:
            say(f"{turn.speaker:>8}: {turn.text}")
    say()
    if ask and os.isatty(0):
        return click.confirm(f"Make all {spec.count}?", default=True)
    return True


def _add(specs: list[DatasetSpec], home: Path) -> "list[DatasetRequest]":
    from tip_resources.database.connection import database
    from tip_resources.database.requests import RequestStore

    store = RequestStore(database(home))
    return [store.add(spec, source="cli") for spec in specs]


def _wait(home: Path, datasets: list[str], as_json: bool) -> None:
    from tip_assets.cli.following import follow, summary_of
    from tip_assets.cli.services import services

    with services(home):
        outcomes = [follow(home, dataset) for dataset in datasets]
    summaries = [summary_of(home, outcome.dataset) for outcome in outcomes if outcome.state == "done"]
    if as_json:
        print_json({"datasets": summaries})
    for outcome in outcomes:
        if outcome.state != "done":
            raise TransientFailure(f"{outcome.dataset}: {outcome.state}. {outcome.note}")
    if not as_json:
        for summary in summaries:
            made = f"{summary['exported']} of {summary['requested']} exported"
            say(f"{summary['dataset']}: {made} to {summary['exports']}")


def _say_what_next(home: Path, dataset: str) -> None:
    from tip_assets.cli.following import waits_for
    from tip_resources.launch.supervisor import running

    if running(home):
        waits = waits_for(home)
        said = f"waits: {waits}." if waits else "being made now."
        say(f"{said} Follow it with: tip status {dataset} --watch")
    else:
        say("nothing is running yet: start it with `tip up` (or add --wait to a request).")
