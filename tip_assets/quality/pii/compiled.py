"""Hyperscan databases, compiled once on a machine: half a second to a second of CPU to make, a millisecond to read.

They lie in the user's cache folder, named after their patterns, and may be removed at any time.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from tip_resources.storage.atomic import atomic_file

if TYPE_CHECKING:
    from hyperscan import Database

    from tip_assets.quality.pii.scan import ScanPattern


def compiled(patterns: "Sequence[ScanPattern]", folder: Path | None = None) -> "Database":
    """All patterns as one automaton, read from `folder` (the user's cache) where it is there and sound.

    Hyperscan checks what it reads: a checksum, its own version, what the processor can do. Where a file cannot be
    written, the next process compiles again.

    Raises:
        ImportError: Hyperscan is not installed.
        hyperscan.error: A pattern cannot be compiled.
    """
    import hyperscan

    made_from = repr([tuple(pattern) for pattern in patterns]).encode()
    name = f"patterns-{hashlib.sha256(made_from).hexdigest()[:24]}.hyperscan"
    file = (folder or user_cache_path("tip", appauthor=False)) / name
    with contextlib.suppress(OSError, hyperscan.error):
        return hyperscan.loadb(file.read_bytes(), hyperscan.HS_MODE_BLOCK)  # pyright: ignore[reportArgumentType]
    database = hyperscan.Database()
    database.compile(
        expressions=[pattern.pattern.encode() for pattern in patterns],
        ids=[pattern.kind for pattern in patterns],
        elements=len(patterns),
        flags=[hyperscan.HS_FLAG_CASELESS if pattern.ignores_case else 0 for pattern in patterns],
    )
    with contextlib.suppress(OSError), atomic_file(file) as kept:
        kept.write(hyperscan.dumpb(database))
    return database
