"""Whether the disk has room beyond the reserve that tip leaves alone."""

from collections.abc import Iterable
from pathlib import Path

from tip_resources.settings.models import Settings
from tip_resources.storage.disk import free_bytes
from tip_resources.storage.layout import Layout
from tip_resources.storage.places import is_local

# Once the reserve was touched, this much more must be free before work goes on: it would stop again at once.
_MARGIN = 1.1


def shortage(home: Path, settings: Settings, *, was_short: bool = False) -> str | None:
    """Why nothing more is to be written, in words; None while there is room.

    Args:
        home: The project folder, whose `.tip` counts, and the folder of the sets where that lies elsewhere.
        settings: Hold the reserve.
        was_short: There was none a moment ago: a tenth more than the reserve must be free.
    """
    root = Layout(settings.storage_url, home).root
    folders = (home / ".tip", *((Path(root.path),) if is_local(root) else ()))
    return shortage_on(folders, settings, was_short=was_short)


def shortage_on(folders: Iterable[Path], settings: Settings, *, was_short: bool = False) -> str | None:
    """As `shortage`, of the disks of these folders."""
    needed = settings.disk.reserve_gigabytes * 1e9 * (_MARGIN if was_short else 1.0)
    for folder in folders if needed else ():
        free = free_bytes(folder)
        if free < needed:
            reserve = f"{settings.disk.reserve_gigabytes:g} GB stay free (disk.reserve_gigabytes)"
            return f"{free / 1e9:.1f} GB are free on the disk of {folder}, and {reserve}"
    return None
