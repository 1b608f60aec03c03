"""The names of the fleet's machines in a file, for code that may not ask the database: definitions are loaded by it.

Every step's process imports the definitions, and a connection opened at import would be broken in its children.
"""

from collections.abc import Collection
from pathlib import Path

import msgspec

from tip_resources.home import state_folder
from tip_resources.settings.fleet_models import is_node_name
from tip_resources.storage.atomic import write_atomically

_FILE = "fleet.json"


def noted_names(home: Path) -> tuple[str, ...]:
    """The machines that were noted last, by name; none when nobody did or the file is not ours."""
    try:
        names = msgspec.json.decode((home / ".tip" / _FILE).read_bytes(), type=list[str])
    except (OSError, msgspec.DecodeError):
        return ()
    return tuple(sorted(name for name in set(names) if is_node_name(name)))


def note_names(home: Path, names: Collection[str]) -> None:
    """Notes the machines, when they are others than those noted."""
    if set(noted_names(home)) != set(names):
        write_atomically(state_folder(home) / _FILE, msgspec.json.encode(sorted(names)))
