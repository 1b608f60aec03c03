"""`tip pause`, `tip resume`, `tip cancel` and `tip priority`: what people order of data sets that were asked for.

The row is changed first, so that nothing starts the set any more; then its runs are stopped.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tip_assets.cli.console import fail, reports_failures, say
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_resources.database.request_orders import RequestOrders
    from tip_resources.database.requests import DatasetRequest
    from tip_resources.domain.priority import Priority

_all_option = click.option("--all", "all_sets", is_flag=True, help="All data sets this can be done to.")


@click.command("pause")
@click.argument("dataset", required=False)
@_all_option
@reports_failures
def pause(dataset: str | None, all_sets: bool) -> None:
    """Hold a data set that waits or is being made, until `tip resume`.

    Calls that are finished are kept. A set that waits is not started; one under way stops as with `tip cancel`.
    """
    from tip_resources.settings.changes import this_person

    orders = _orders()
    names = _named(dataset, all_sets, orders.going())
    held: list[str] = []
    # All rows first: while one run ends, no other set may start in its place.
    for name in names:
        if orders.pause(name, this_person()) is not None:
            held.append(name)
        elif not all_sets:
            row = _known(name)
            if row.state != "paused":
                raise BadInput(f"{name} is {row.state}, so there is nothing to pause.")
            held.append(name)  # said again, in case its run has not ended yet
    _stop([*held])
    if not held:
        say("nothing waits or is being made.")
    for name in held:
        say(f"{name} is paused{_kept_so_far(name)}. Go on with: tip resume {name}")


@click.command("resume")
@click.argument("dataset", required=False)
@_all_option
@reports_failures
def resume(dataset: str | None, all_sets: bool) -> None:
    """Take up a data set again where it was: only calls that are missing are asked for.

    For sets that are paused, and by name for those that were cancelled or failed. --all: those that are paused.
    """
    from tip_resources.settings.changes import this_person

    orders = _orders()
    names = _named(dataset, all_sets, orders.paused())
    if not names:
        say("no data set is paused.")
    for name in names:
        # Two runs of one set would write into each other's parts.
        if _known(name).state in ("paused", "cancelled", "failed"):
            _stop([name])
        if orders.resume(name, this_person()) is not None:
            say(f"{name} is taken up again. Follow it with: tip status {name} --watch")
        elif not all_sets:
            row = _known(name)
            mend = "Its deletion goes on with `tip delete`." if row.state == "deleting" else ""
            raise BadInput(f"{name} is {row.state}, so there is nothing to take up again.", mend=mend)


@click.command("cancel")
@click.argument("dataset")
@reports_failures
def cancel(dataset: str) -> None:
    """Stop making a data set. Calls that are finished are kept; `tip resume` goes on from there."""
    from tip_resources.settings.changes import this_person

    if _orders().cancel(dataset, this_person()) is None:
        say(f"{dataset} is {_known(dataset).state} already.")
        return
    stopped = _stop([dataset])
    say(f"{dataset} is cancelled ({stopped} run(s) stopped). What is finished is kept: tip resume {dataset}")


@click.command("priority")
@click.argument("dataset")
@click.argument("priority", type=click.Choice(["low", "normal", "high"]))
@reports_failures
def priority(dataset: str, priority: "Priority") -> None:
    """Say how soon a data set is made beside others.

    One that waits moves in the queue at once; the share of model servers of one that is being made follows in seconds.
    """
    import dagster as dg

    from tip_assets.cli.instance import dagster_instance
    from tip_assets.cli.run_stopping import unfinished_runs
    from tip_resources.domain.priority import PRIORITY_TAG, QUEUE_PRIORITY
    from tip_resources.settings.changes import this_person

    row = _orders().set_priority(dataset, priority, this_person())
    with dagster_instance() as instance:
        for run in unfinished_runs(instance, dataset):
            if run.status is dg.DagsterRunStatus.QUEUED:
                instance.add_run_tags(run.run_id, {PRIORITY_TAG: str(QUEUE_PRIORITY[priority])})
    note = "; its share of model servers follows within seconds" if row.state == "running" else ""
    say(f"{dataset} has {priority} priority{note}.")


def _orders() -> "RequestOrders":
    from tip_resources.database.connection import database
    from tip_resources.database.request_orders import RequestOrders

    return RequestOrders(database(project_home()))


def _known(dataset: str) -> "DatasetRequest":
    from tip_assets.cli.following import known_request
    from tip_resources.database.connection import database
    from tip_resources.database.requests import RequestStore

    return known_request(RequestStore(database(project_home())), dataset)


def _named(dataset: str | None, all_sets: bool, of_all: "Sequence[DatasetRequest]") -> list[str]:
    if all_sets == (dataset is not None):
        raise click.UsageError("Name one data set, or say --all.")
    return [row.dataset for row in of_all] if dataset is None else [_known(dataset).dataset]


def _stop(datasets: list[str]) -> int:
    """Stops the runs of all the sets; how many they were. One that does not end keeps none of the others going."""
    from tip_assets.cli.instance import dagster_instance
    from tip_assets.cli.run_stopping import stop_runs

    stopped, late = 0, []
    with dagster_instance() as instance:
        for dataset in datasets:
            try:
                stopped += stop_runs(instance, dataset)
            except TransientFailure as failure:
                late.append(str(failure))
    if late:
        fail("\ntip: ".join(late))
    return stopped


def _kept_so_far(dataset: str) -> str:
    from tip_resources.storage.checkpoint import Checkpoint
    from tip_resources.storage.layout import layout_of

    kept = len(Checkpoint(layout_of(project_home()).parts(dataset)).finished())
    return f" with {kept} of {_known(dataset).spec.count} calls kept" if kept else ""
