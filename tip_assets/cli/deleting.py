"""`tip delete`: shows what goes, asks, removes. What is removed, and in which order, is dataset_removal.py's matter."""

import click
import msgspec

from tip_assets.cli.console import reports_failures, say
from tip_resources.domain.failures import BadInput
from tip_resources.home import project_home


@click.command("delete")
@click.argument("dataset")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-exports", is_flag=True, help="Leave what was exported.")
@reports_failures
def delete(dataset: str, yes: bool, keep_exports: bool) -> None:
    """Remove a data set with all that belongs to it: calls, exports, answers of judges, grades, runs.

    Only one that has ended or is paused. Killed half way, it goes on when it is repeated. The audit log keeps that it
    was there, and who deleted it.
    """
    from tip_assets.cli.dataset_removal import DatasetRemoval
    from tip_assets.cli.following import known_request
    from tip_assets.cli.instance import dagster_instance
    from tip_assets.exports.report_text import size
    from tip_resources.database.connection import database
    from tip_resources.database.request_orders import RequestOrders
    from tip_resources.database.requests import RequestStore
    from tip_resources.settings.changes import this_person
    from tip_resources.storage.layout import layout_of

    home = project_home()
    engine = database(home)
    row = known_request(RequestStore(engine), dataset)
    if row.state in ("requested", "running"):
        raise BadInput(f"{dataset} is {row.state}.", mend=f"First: tip cancel {dataset}")
    layout = layout_of(home)
    with dagster_instance() as instance:
        removal = DatasetRemoval(home, layout, engine, instance, dataset)
        removal.refuse_while_under_way()
        held = removal.holdings()
        kept = "stay" if keep_exports else "go"
        say(f"{dataset} ({row.state}, {row.spec.count} {row.spec.domain} calls asked):")
        say(f"  calls kept      {held.kept_calls}, {size(held.parts_bytes)} in parts; {size(held.set_bytes)} in sets")
        say(f"  judges' answers {size(held.judged_bytes)}")
        say(f"  delivered       {held.delivered_calls} calls in the index of duplicates, with their grades")
        say(f"  exports         {', '.join(held.exports) or 'none'}, {size(held.export_bytes)}: they {kept}")
        say(f"  runs            {held.runs}, with their events and logs")
        if not yes:
            click.confirm("Delete all this? It cannot be taken back", abort=True)
        detail = {**msgspec.to_builtins(held), "asked": row.spec.count, "keep_exports": keep_exports}
        orders = RequestOrders(engine)
        if orders.start_deleting(dataset, this_person(), detail) is None:
            raise BadInput(f"{dataset} was taken up again meanwhile.", mend=f"First: tip cancel {dataset}")
        # Again: somebody may have started a run in Dagster while the question stood.
        removal.refuse_while_under_way()
        removal.remove(keep_exports=keep_exports)
        orders.forget(dataset, this_person(), detail)
    say(f"{dataset} is deleted.")
