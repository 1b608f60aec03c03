"""What a backup says of sets in an object store, which it does not hold: the name, size and ETag of each object.

objects.txt            a line for each: bytes, a space, the ETag, a space, its name below storage_url
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from tip_resources.storage.objects import fingerprints
from tip_resources.upkeep.backup_manifest import OBJECTS
from tip_resources.upkeep.chores import Amount


@dataclass(frozen=True)
class Compared:
    """How a store stands to an index: names that are not there, and those whose size or ETag is another.

    `unseen` says why nobody could look; "" when it was looked.
    """

    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unseen: str = ""


def write_index(root: UPath, folder: Path) -> Amount:
    """Writes down into `folder` what lies below `root`; how much that is."""
    found = fingerprints(root)
    with (folder / OBJECTS).open("x", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for name, (size, etag) in sorted(found.items()):
            file.write(f"{size} {etag or '-'} {name}\n")
    return Amount(len(found), sum(size for size, _ in found.values()))


def compare(root: UPath, folder: Path) -> Compared:
    """Holds what lies below `root` against the index in `folder`."""
    found = fingerprints(root)
    missing, changed = [], []
    for name, fingerprint in _index(folder):
        if name not in found:
            missing.append(name)
        elif found[name] != fingerprint:
            changed.append(name)
    return Compared(tuple(missing), tuple(changed))


def _index(folder: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    with (folder / OBJECTS).open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for line in file:
            size, etag, name = line.rstrip("\n").split(" ", 2)
            yield name, (int(size), "" if etag == "-" else etag)
