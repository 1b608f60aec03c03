"""`tip list` and `tip status`: what was asked for and how it is coming along. Orders are in dataset_orders.py."""

from typing import TYPE_CHECKING, Any

import click

from tip_assets.cli.console import json_option, print_json, reports_failures, say
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_resources.database.requests import RequestState

STATES = ["requested", "running", "paused", "done", "failed", "cancelled", "deleting"]


@click.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most rows to show.")
@json_option
@reports_failures
def list_datasets(state: "RequestState | None", limit: int, as_json: bool) -> None:
    """List the data sets that were asked for, newest first."""
    from tip_assets.cli.following import held_words, waits_for
    from tip_resources.database.connection import database
    from tip_resources.database.requests import RequestStore

    rows = RequestStore(database(project_home())).list(limit=limit, state=state)
    waits = waits_for(project_home()) if any(row.state == "requested" for row in rows) else None
    if as_json:
        print_json([_row(row, waits) for row in rows])
        return
    if not rows:
        say('no data sets yet. Ask for one: tip request "Generate 500 healthcare transcripts"')
    for row in rows:
        note = held_words(row) or (f"waits: {waits}" if waits and row.state == "requested" else row.note)
        say(f"{row.dataset:<40} {row.state:<10} {row.spec.count:>8} {row.spec.domain:<20} {note}")


@click.command("status")
@click.argument("dataset", required=False)
@click.option("--watch", is_flag=True, help="Follow until it has ended.")
@json_option
@reports_failures
def status(dataset: str | None, watch: bool, as_json: bool) -> None:
    """Show how a data set is coming along; without a name, the newest one."""
    from tip_assets.cli.following import failure_of, follow, known_request, summary_of, waits_for
    from tip_resources.database.connection import database
    from tip_resources.database.requests import RequestStore

    home = project_home()
    store = RequestStore(database(home))
    if dataset is None:
        newest = store.list(limit=1)
        if not newest:
            say('no data sets yet. Ask for one: tip request "Generate 500 healthcare transcripts"')
            return
        dataset = newest[0].dataset
    if watch:
        follow(home, dataset)
    row = known_request(store, dataset)
    details: dict[str, Any] = _row(row, waits_for(home) if row.state == "requested" else None)
    if row.state == "failed":
        details["failure"] = failure_of(row)
    if row.state == "done":
        details["summary"] = summary_of(home, dataset)
    if as_json:
        print_json(details)
        return
    for key, value in details.items():
        if isinstance(value, dict):
            say(f"{key}:")
            for name, item in value.items():
                say(f"  {name}: {item}")
        elif value not in (None, ""):
            say(f"{key}: {value}")


def _row(row: Any, waits: str | None) -> dict[str, Any]:
    return {
        "dataset": row.dataset,
        "state": row.state,
        "since": row.state_since.isoformat(timespec="seconds"),
        "by": row.state_by,
        "priority": row.spec.priority,
        "asked": row.spec.count,
        "domain": row.spec.domain,
        "query": row.spec.query,
        "run_id": row.run_id,
        "note": row.note,
        "waits": waits if row.state == "requested" else None,
        "created_at": str(row.created_at),
    }
