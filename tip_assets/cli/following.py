"""Following a data set from the terminal until its run has ended."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from upath import UPath

from tip_assets.cli.console import progress_bar
from tip_assets.fleet.waiting import why_waiting
from tip_resources.database.connection import database
from tip_resources.database.fleet_gate import GateStore
from tip_resources.database.requests import ENDED, DatasetRequest, RequestStore
from tip_resources.domain.failures import BadInput
from tip_resources.storage.layout import layout_of
from tip_resources.storage.objects import read_object

if TYPE_CHECKING:
    from dagster_shared.error import SerializableErrorInfo

POLL_SECONDS = 0.5


class Outcome(msgspec.Struct, frozen=True):
    """How a data set ended; `note` says why when it did not end well."""

    dataset: str
    state: str
    run_id: str | None
    note: str


def known_request(store: RequestStore, dataset: str) -> DatasetRequest:
    """The row of a data set.

    Raises:
        BadInput: Nobody asked for it.
    """
    row = store.get(dataset)
    if row is None:
        raise BadInput(f"no data set is called {dataset!r}.", mend="`tip list` shows those there are.")
    return row


def waits_for(home: Path) -> str | None:
    """Why data sets that were asked for are not being made yet; None where nothing is in the way."""
    engine = database(home)
    return why_waiting(GateStore(engine).read(), RequestStore(engine).count("running"))


def held_words(row: DatasetRequest) -> str | None:
    """Who holds a data set and since when; None where nobody does."""
    since = f"by {row.state_by} since {row.state_since.astimezone():%Y-%m-%d %H:%M}"
    if row.state == "paused":
        return f"paused {since}; go on with tip resume {row.dataset}"
    return f"its deletion was begun {since}; go on with tip delete {row.dataset}" if row.state == "deleting" else None


def follow(home: Path, dataset: str) -> Outcome:
    """Shows progress until the run of `dataset` has ended."""
    store = RequestStore(database(home))
    row = known_request(store, dataset)
    is_told = False
    with progress_bar(row.spec.count, dataset) as bar:
        while row.state not in ENDED:
            waits = held_words(row) or (waits_for(home) if row.state == "requested" else None)
            if waits and bar.disable and not is_told:  # a bar tells it as it goes; a log is told once
                click.echo(f"{dataset} waits: {waits}", err=True)
                is_told = True
            kept = _kept(row.note)
            if kept is not None:
                bar.update(kept - bar.n)
            bar.set_postfix_str(_stage(row, waits))
            time.sleep(POLL_SECONDS)
            row = known_request(store, dataset)
        if row.state == "done":
            bar.update(row.spec.count - bar.n)
    note = row.note if row.state == "done" else failure_of(row) or row.note
    return Outcome(dataset, row.state, row.run_id, note)


def summary_of(home: Path, dataset: str) -> dict[str, Any]:
    """The summary.json of a finished data set, and where its exports lie.

    Raises:
        BadInput: It has none yet.
    """
    exports = exports_of(home, dataset)
    try:
        summary = json.loads(read_object(exports / "report" / "summary.json"))
    except FileNotFoundError as error:
        raise BadInput(
            f"data set {dataset!r} has no report yet.", mend=f"`tip status {dataset}` says how far it is."
        ) from error
    return {**summary, "exports": str(exports)}


def exports_of(home: Path, dataset: str) -> UPath:
    """The folder of all exports of a data set, here or in S3."""
    return layout_of(home).exports(dataset)


def failure_of(row: DatasetRequest) -> str | None:
    """The headline of what made the run of `row` fail, from Dagster's event log."""
    import dagster as dg

    from tip_assets.cli.instance import dagster_instance

    if not row.run_id:
        return None
    with dagster_instance() as instance:
        records = instance.get_records_for_run(row.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    for record in records:
        event = record.event_log_entry.dagster_event
        data = event.step_failure_data if event else None
        if event and data:
            said = data.user_failure_data.description if data.user_failure_data else None
            return f"{event.step_key}: {said or _innermost(data.error)}"
    return None


def _innermost(error: "SerializableErrorInfo | None") -> str:
    """What was raised first: Dagster wraps it in failures of its own, which only say where."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error else "failed"


def _kept(note: str) -> int | None:
    head = note.partition("/")[0]
    return int(head) if head.isdigit() else None


def _stage(row: DatasetRequest, waits: str | None) -> str:
    if waits:
        return f"waits: {waits}"
    if row.state == "requested":
        return "waiting for its run to start"
    return row.note if row.note.startswith("waiting") else row.note.partition(", ")[2]
