"""`tip gc`: removes what has grown old, which the sensor `upkeep` does daily, now."""

from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from tip_assets.cli.console import fail, json_option, print_json, progress_bar, reports_failures, say
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_resources.upkeep.chores import Amount


@click.command("gc")
@click.option("--dry-run", is_flag=True, help="Only show what would go, and how many bytes.")
@json_option
@reports_failures
def gc(dry_run: bool, as_json: bool) -> None:
    """Remove what has grown old: old runs and their events, logs, parts of exported data sets.

    The settings of `retention` say after how many days what goes (tip config get retention). Nothing of a data set
    under way is touched, and data sets, exports and their lineage stay. It may be stopped at any moment. Space that
    rows leave in the database is used again by new ones.
    """
    from tip_resources.database.connection import database
    from tip_resources.settings.layers import load_settings
    from tip_resources.upkeep.chores import Amount
    from tip_resources.upkeep.clean_up import chores, clean_up, the_only_one
    from tip_resources.upkeep.words import in_bytes

    home = project_home()
    engine = database(home)
    of = chores(engine, home, load_settings(home))
    found = {chore.name: chore.found() for chore in of}
    if dry_run:
        removed = found
    else:
        with (
            the_only_one(engine) as is_ours,
            progress_bar(sum(amount.count for amount in found.values()), "gc", unit="") as bar,
        ):
            if not is_ours:
                fail("the daily clean-up, a backup or another `tip gc` is at work; try again when it is done.")
            removed = clean_up(of, lambda _, amount: _move(bar, amount)).removed
    rows = [(chore, removed.get(chore.name, Amount())) for chore in of]
    total = sum((amount for _, amount in rows), Amount())
    if as_json:
        lines = {chore.name: {"count": it.count, "bytes": it.bytes, "days": chore.days} for chore, it in rows}
        print_json({"dry_run": dry_run, "removed": lines, "count": total.count, "bytes": total.bytes})
        return
    for chore, amount in rows:
        setting = f"retention.{chore.setting} = {chore.days}"
        say(f"{chore.name:<36} {amount.count:>9,} {chore.unit:<9} {in_bytes(amount.bytes):>10}   {setting}")
    say(f"{'would go' if dry_run else 'removed'}: {in_bytes(total.bytes)}")


def _move(bar: tqdm, amount: "Amount") -> None:
    bar.update(amount.count)
