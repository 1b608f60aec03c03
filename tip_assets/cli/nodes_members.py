"""Who belongs to the fleet: `tip nodes invite` and `tip nodes revoke`, on the setting fleet.nodes."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from pydantic import ValidationError

from node_agent.identity import node_name
from node_agent.report import NodeReport
from tip_resources.database.connection import database
from tip_resources.domain.failures import BadInput
from tip_resources.fleet.heat import in_words
from tip_resources.fleet.poller import Address, OutcomeKind, Poller, PollOutcome
from tip_resources.settings.changes import edit_setting
from tip_resources.settings.fleet_models import FleetNodeSettings
from tip_resources.settings.layers import Origin, read_layers
from tip_resources.settings.layers import node_name as settings_name
from tip_resources.settings.store import SettingsStore

AGENT_PORT = 8765
_KEY = "fleet.nodes"
_ASKED_AT_ONCE = 250
_NOTED_SKEW_SECONDS = 120.0
# For what the reason of an outcome does not say by itself.
_MENDS: dict[OutcomeKind, str] = {
    "refused": "Start the agent there (`tip-agent run`, docs/node-agent.md). Unless told otherwise it listens on its "
    "own machine only; `--host 0.0.0.0 --insecure-lan` opens it to a network that you trust.",
    "timeout": "Is the machine awake, and does its firewall let the agent's port through?",
    "http_error": "Is that the address of a tip agent?",
}


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of the fleet made: versions of settings, and what to tell the person."""

    node: str
    versions: tuple[int, ...]
    told: tuple[str, ...]


def ask_all(addresses: Sequence[Address], timeout_seconds: float) -> list[PollOutcome]:
    """One pass over agents, as the watcher makes it; an outcome for each, in their order."""

    async def poll() -> list[PollOutcome]:
        async with Poller(concurrency=_ASKED_AT_ONCE, timeout_seconds=timeout_seconds) as poller:
            return await poller.poll(addresses)

    return asyncio.run(poll())


def invite(home: Path, node: FleetNodeSettings) -> Membership:
    """Asks the agent, and takes its machine into the fleet when it is the one that was named.

    Raises:
        BadInput: Nobody there, another machine there, or its address is listed already; nothing is changed.
    """
    if node.name == node_name():
        raise BadInput(f"{node.name} is this machine.", mend="It is of the fleet without an invitation.")
    before = read_layers(home)
    (outcome,) = ask_all([Address(node.name, node.url)], before.settings.fleet.poll_timeout_seconds)
    if outcome.report is None:
        raise BadInput(f"not invited: {outcome.reason.rstrip('.')}.", where=node.url, mend=mend_of(outcome))
    known = next((one for one in before.settings.fleet.nodes if one.name == node.name), None)
    versions = _edited(home, lambda nodes: _with(nodes, node.model_dump(mode="json")), f"invited {node.name}")
    told = [f"{node.name} answers: {described(outcome.report)}"]
    if known is not None and known.url != node.url:
        told.append(f"Its address was {known.url} before.")
    did = "is of the fleet now" if known is None else "was of the fleet already" if not versions else "is changed"
    told += [f"{node.name} {did}.", *_from_elsewhere(before.origin(_KEY), bool(versions))]
    return Membership(node=node.name, versions=versions, told=tuple(told))


def revoke(home: Path, name: str) -> Membership:
    """Takes a machine off the list; its rows and figures stay.

    Raises:
        BadInput: It is this machine.
    """
    if name == node_name():
        raise BadInput(
            f"{name} is this machine, and always of its own fleet.", mend=f"`tip nodes pause {name}` stops it."
        )
    origin = read_layers(home).origin(_KEY)
    versions = _edited(home, lambda nodes: [one for one in nodes if one["name"] != name], f"revoked {name}")
    told = (f"{name} is of the fleet no more; its agent is not asked again.", *_from_elsewhere(origin, bool(versions)))
    return Membership(node=name, versions=versions, told=told)


def checked(
    name: str, url: str, *, slots: int = 1, time_zone: str = "", profile: str | None = None
) -> FleetNodeSettings:
    """The machine as the settings hold it.

    Raises:
        BadInput: One of these is wrong; says which.
    """
    try:
        given = {"name": name, "url": url, "step_slots": slots, "time_zone": time_zone, "profile": profile}
        return FleetNodeSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        what = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise BadInput(f"{what}.", where=".".join(str(part) for part in first["loc"])) from error


def full_address(url: str) -> str:
    """`10.0.0.7` and `pi-4b:8765` as the address of an agent; what has a scheme stays as it is."""
    if "://" in url:
        return url
    try:
        port = urlsplit(f"http://{url}").port
    except ValueError:
        return f"http://{url}"
    return f"http://{url}" if port is not None else f"http://{url}:{AGENT_PORT}"


def mend_of(outcome: PollOutcome) -> str:
    """What to do when an agent could not be asked; empty when the reason says it."""
    return _MENDS.get(outcome.kind, "")


def described(report: NodeReport) -> str:
    """A machine in one line, from its own report: what it is, how warm, which models it serves."""
    host = report.host
    parts = []
    if host is not None:
        memory = f"{host.memory_total_bytes / 2**30:.0f} GB"
        parts.append(f"{host.board or f'{host.system} {host.architecture}'}, {host.cores} cores, {memory}")
    heat = "no temperatures" if report.thermal is None else _celsius("CPU", report.thermal.cpu_celsius.value)
    parts.append(heat)
    parts += [_celsius(gpu.name, gpu.celsius.value) for gpu in report.gpus or ()]
    models = [model.name for one in report.endpoints or () for model in one.models]
    if report.endpoints is not None:
        parts.append(f"serves {', '.join(models)}" if models else "serves no model")
    skew = report.reported_at_unix_seconds - time.time()
    if abs(skew) > _NOTED_SKEW_SECONDS:
        parts.append(f"its clock is {in_words(abs(skew))} {'ahead' if skew > 0 else 'behind'}, which does no harm")
    return "; ".join(parts)


def _celsius(what: str, value: float | None) -> str:
    return f"{what} temperature unknown" if value is None else f"{what} at {value:.0f} C"


def _with(nodes: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """The list with a machine added, or changed in its place."""
    if any(one["name"] == new["name"] for one in nodes):
        return [new if one["name"] == new["name"] else one for one in nodes]
    return [*nodes, new]


def _edited(home: Path, edit: Callable[[Any], Any], note: str) -> tuple[int, ...]:
    """Changes the list where this machine reads it: its own one, when the database has one for it alone."""
    own = settings_name(os.environ)
    stored = SettingsStore(database(home)).current()
    is_own = any(row.key == _KEY and row.node == own for row in stored)
    return tuple(edit_setting(_KEY, edit, node=own if is_own else None, note=note, home=home))


def _from_elsewhere(origin: Origin, changed: bool) -> list[str]:
    """A list in the database replaces that of a file or variable as a whole, which a person should know."""
    if not changed or origin.layer in {"database", "default"}:
        return []
    return [
        f"The list of machines was that of {origin.where}. It is copied to the database, whose list counts from now "
        f"on; `tip config unset {_KEY}` goes back."
    ]
