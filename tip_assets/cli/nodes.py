"""`tip nodes`: the machines of the fleet, what each does and why, and what people order of them."""

import shutil
import sys
import time
from typing import TYPE_CHECKING

import click

from tip_assets.cli.console import EXIT_INTERRUPTED, EXIT_USAGE, fail, json_option, print_json, reports_failures, say
from tip_resources.domain.failures import BadInput
from tip_resources.home import project_home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tip_assets.cli.nodes_facts import FleetFacts, FleetReader
    from tip_assets.cli.nodes_orders import Orders
    from tip_resources.fleet.node_order import OrderKind

_WATCH_SECONDS = 2.0
reason_option = click.option("--reason", default="", metavar="TEXT", help="Why, for those who wonder.")


@click.group("nodes", invoke_without_command=True)
@click.option("--watch", is_flag=True, help="Show it anew every 2 seconds, until Ctrl-C.")
@json_option
@click.pass_context
@reports_failures
def nodes(context: click.Context, watch: bool, as_json: bool) -> None:
    """Show the machines of the fleet: state and why, heat, load, work, models.

    SLOTS is steps held of those it takes at once; CALLS and STEPS are under way now; TOK/S is the speed of a call
    and FAILED the share of calls that failed, in the last 24 hours. docs/fleet.md explains the states.

    \b
    Examples:
      tip nodes --watch
      tip nodes show pi-4b
      tip nodes pause desk --reason "a demo at four"
      tip nodes invite pi-4b http://10.0.0.7:8765
    """
    if context.invoked_subcommand is not None:
        if watch or as_json:
            raise click.UsageError("--watch and --json of the table go without a command.")
        return
    if watch and as_json:
        raise click.UsageError("--watch is for people; machines ask with --json as often as they like.")
    from tip_assets.cli.nodes_facts import FleetReader

    reader = FleetReader(project_home())
    if as_json:
        _print_json(reader.read())
    elif watch:
        _watch(reader)
    else:
        say(_table(reader.read()))


@nodes.command("show")
@click.argument("node")
@json_option
@reports_failures
def show(node: str, as_json: bool) -> None:
    """Everything that is known of one machine, with the last 24 hours."""
    from tip_assets.cli.nodes_details import details
    from tip_assets.cli.nodes_facts import FleetReader
    from tip_assets.cli.nodes_words import told

    reader = FleetReader(project_home())
    _must_be_known(node, reader.names)
    found = details(reader, node)
    if as_json:
        _print_json(found)
    else:
        say(told(found, _width()))


@nodes.command("pause")
@click.argument("node")
@reason_option
@reports_failures
def pause(node: str, reason: str) -> None:
    """Give a machine no new work; what it does it finishes."""
    _ordered(node, "pause", reason)
    say(f"{node} takes no new work; what it does it finishes. `tip nodes resume {node}` lifts that.")


@nodes.command("resume")
@click.argument("node")
@reports_failures
def resume(node: str) -> None:
    """Take back what was ordered of a machine: its own state counts again."""
    from tip_assets.cli.nodes_orders import Orders

    orders = Orders(project_home())
    _must_be_known(node, list(dict.fromkeys([*orders.members, *orders.ordered])))
    had_one = orders.lift(node)
    say(f"{node} works again, as far as its own state allows." if had_one else f"{node} was under no order.")


@nodes.command("drain")
@click.argument("node")
@reason_option
@click.option("--wait", is_flag=True, help="Return when nothing of ours runs there any more.")
@reports_failures
def drain(node: str, reason: str, wait: bool) -> None:
    """Empty a machine: its calls move to others at once, its steps finish."""
    orders = _ordered(node, "drain", reason)
    say(f"{node} is being drained: its calls move to others, its steps finish. `tip nodes resume {node}` lifts that.")
    if not wait:
        return
    try:
        orders.wait_until_empty(node, lambda now: say(f"{now.words} under way on {node} ..."))
    except KeyboardInterrupt:
        fail(f"not waiting any longer; {node} is drained all the same.", EXIT_INTERRUPTED)
    say(f"nothing of ours runs on {node}.")


@nodes.command("invite")
@click.argument("node")
@click.argument("url")
@click.option("--slots", type=click.IntRange(1), default=1, show_default=True, help="Dagster steps at once there.")
@click.option("--time-zone", default="", metavar="TZ", help="For its quiet hours, such as Europe/Vienna.")
@click.option("--profile", metavar="P", help="Class of machine, for steps that ask for one (pi, laptop, ...).")
@json_option
@reports_failures
def invite(node: str, url: str, slots: int, time_zone: str, profile: str | None, as_json: bool) -> None:
    """Take a machine with an agent into the fleet. The agent is asked first.

    NODE is the machine's host name in lower case; URL may be an address alone: port 8765 is the agent's.

    \b
    Examples:
      tip nodes invite pi-4b 10.0.0.7
      tip nodes invite laptop http://laptop.lan:8765 --slots 2 --time-zone Europe/Vienna
    """
    from tip_assets.cli import nodes_members

    try:
        address = nodes_members.full_address(url)
        wanted = nodes_members.checked(node, address, slots=slots, time_zone=time_zone, profile=profile)
    except BadInput as failure:
        fail(str(failure), EXIT_USAGE)
    made = nodes_members.invite(project_home(), wanted)
    _tell(made.told, made, as_json)


@nodes.command("revoke")
@click.argument("node")
@json_option
@reports_failures
def revoke(node: str, as_json: bool) -> None:
    """Take a machine out of the fleet; what is known of it stays."""
    from tip_assets.cli import nodes_members
    from tip_assets.cli.nodes_orders import Orders

    home = project_home()
    orders = Orders(home)
    _must_be_known(node, orders.members)
    made = nodes_members.revoke(home, node)
    lifted = orders.lift(node)
    _tell([*made.told, *(["What was ordered of it is lifted."] if lifted else [])], made, as_json)


def _ordered(node: str, kind: "OrderKind", reason: str) -> "Orders":
    from tip_assets.cli.nodes_orders import Orders

    orders = Orders(project_home())
    _must_be_known(node, orders.members)
    orders.give(node, kind, reason)
    return orders


def _must_be_known(node: str, names: "Sequence[str]") -> None:
    if node not in names:
        fail(f"no machine is called {node!r}. Those there are: {', '.join(names)}.", EXIT_USAGE)


def _watch(reader: "FleetReader") -> None:
    """On a terminal in place; elsewhere one table after the other."""
    in_place = sys.stdout.isatty()
    try:
        while True:
            text = _table(reader.read())
            if in_place:
                click.clear()
            say(f"{text}\n" if in_place else f"{text}\n\n")
            time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        say()


def _table(facts: "FleetFacts") -> str:
    from tip_assets.cli.nodes_table import table

    return table(facts, _width())


def _width() -> int:
    """Of the terminal, or of $COLUMNS; wide where there is none, as in a file."""
    return shutil.get_terminal_size(fallback=(140, 40)).columns


def _tell(told: "Sequence[str]", made: object, as_json: bool) -> None:
    from tip_assets.cli.nodes_table import plain

    if as_json:
        _print_json(made)
        return
    for line in told:
        say(plain(line))


def _print_json(value: object) -> None:
    import msgspec

    print_json(msgspec.to_builtins(value))
