"""What is free on a disk."""

import shutil
from pathlib import Path


def free_bytes(folder: Path) -> int:
    """What may still be written on the disk of a folder, or of the nearest one above it that is there."""
    folder = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(folder).free
