"""Changing settings in the database: checked as a whole first, one version per setting that changes."""

import getpass
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tip_resources.database.connection import database
from tip_resources.domain.failures import BadInput
from tip_resources.home import project_home
from tip_resources.settings.keys import flatten, is_known, nested, parse_text, unknown_key
from tip_resources.settings.layers import node_name, resolve
from tip_resources.settings.store import SettingsStore, add_version, stored_values
from tip_resources.settings.stored_value import StoredValue

# (key, node) -> value; node None is all nodes.
_Changes = dict[tuple[str, str | None], Any]
_UNSET: Any = object()


def change_setting(
    key: str, text: str, *, node: str | None = None, author: str | None = None, home: Path | None = None
) -> Sequence[int]:
    """Sets `key` for all nodes, or for one, and returns the new versions: one, or two for both ends of a range.

    Raises:
        BadInput: No such setting, a secret, or the settings as a whole would not be valid; nothing is changed.
    """
    if not is_known(key):
        raise unknown_key(key)
    place = f"tip config set {key}"
    values = flatten(nested(key, parse_text(key, text)), "database", lambda _: place)
    return _apply({(name, node): given.value for name, given in values.items()}, author, "", home)


def edit_setting(
    key: str,
    edit: Callable[[Any], Any],
    *,
    node: str | None = None,
    author: str | None = None,
    note: str = "",
    home: Path | None = None,
) -> Sequence[int]:
    """Sets `key` to what `edit` makes of its present value, in plain JSON, whichever layer gives that.

    Nobody else changes settings meanwhile, so that of two people who each add to a list neither's entry is lost.

    Raises:
        BadInput: As `change_setting`.
    """
    with SettingsStore(database(home)).changing() as connection:
        now = resolve(home or project_home(), node or node_name(os.environ), stored_values(connection), os.environ)
        return _write(connection, {(key, node): edit(now.origin(key).value)}, author, note, home)


def unset_setting(
    key: str, *, node: str | None = None, author: str | None = None, home: Path | None = None
) -> Sequence[int]:
    """Takes `key`, or all in the group `key`, out of the database layer: the layers below count again.

    Raises:
        BadInput: The database does not set it, or the settings would not be valid without it.
    """
    if not is_known(key):
        raise unknown_key(key)
    stored = SettingsStore(database(home)).current()
    targets = [row for row in stored if row.node == node and (row.key == key or row.key.startswith(f"{key}."))]
    if not targets:
        raise BadInput(f"the database does not set {key}{_for_node(node)}.", mend=f"See `tip config get {key}`.")
    return _apply({(row.key, row.node): _UNSET for row in targets}, author, "", home)


def roll_back(
    version: int, *, node: str | None = None, author: str | None = None, home: Path | None = None
) -> Sequence[int]:
    """Makes the database layer what it was just after `version` (0: empty), by new versions.

    Args:
        version: As `tip config history` shows it.
        node: Only this node's own settings; None for everything.
        author: Who does it; the user of this process when None.
        home: The project folder; found when None.

    Raises:
        BadInput: There is no such version, or the settings of that time would not be valid now.
    """
    store = SettingsStore(database(home))
    if not 0 <= version <= store.newest_version():
        raise BadInput(f"there is no version {version}.", mend="`tip config history` shows them.")
    with store.changing() as connection:
        then = _by_target(stored_values(connection, up_to=version))
        now = _by_target(stored_values(connection))
        targets = [target for target in {**now, **then} if node is None or target[1] == node]
        changes = {target: then.get(target, _UNSET) for target in targets}
        return _write(connection, changes, author, f"rollback to version {version}", home)


def _apply(changes: _Changes, author: str | None, note: str, home: Path | None) -> Sequence[int]:
    with SettingsStore(database(home)).changing() as connection:
        return _write(connection, changes, author, note, home)


def _write(
    connection: Connection, changes: _Changes, author: str | None, note: str, home: Path | None
) -> Sequence[int]:
    """Checks what would come out, then adds a version for each target that differs from now."""
    now = _by_target(stored_values(connection))
    proposed = {target: value for target, value in {**now, **changes}.items() if value is not _UNSET}
    clean = _checked(home or project_home(), proposed)
    author, versions = author or this_person(), []
    for key, node in sorted(changes, key=str):
        value = clean.get((key, node), _UNSET)
        if value == now.get((key, node), _UNSET):
            continue
        is_set = value is not _UNSET
        shown = value if is_set else None
        versions.append(
            add_version(connection, key=key, value=shown, is_set=is_set, node=node, author=author, note=note)
        )
    return versions


def _checked(home: Path, proposed: _Changes) -> _Changes:
    """`proposed` as the models read it ("0.9" becomes 0.9), when the settings of every node would be valid."""
    rows = [StoredValue(key, value, node, None) for (key, node), value in proposed.items()]
    # "" stands for a machine without a file and values of its own.
    nodes = {"", node_name(os.environ), *(row.node for row in rows if row.node)}
    resolved = {node: resolve(home, node, rows, os.environ) for node in nodes}
    return {(key, node): resolved[node or ""].origin(key).value for key, node in proposed}


def _by_target(rows: Sequence[StoredValue]) -> _Changes:
    return {(row.key, row.node): row.value for row in rows}


def _for_node(node: str | None) -> str:
    return f" for node {node}" if node else ""


def this_person() -> str:
    """Who runs this process, as changes are signed: user@host."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # no such user on a container given a bare user id
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
