"""What a small set gets that is asked after a large one, on the same model server.

    python -m benchmarks.engine.fair_sharing [--slots 8] [--large 400] [--small 24] [--small-priority high]

One rehearsal server with so many slots, which queues what is more; two engines share it by leases in a database of
their own, as two runs do. First the small set alone, then again 5 s after the large one began. Told: how long the small
one took, and how many answers each got meanwhile. Figures are ratios within one run: the machine's speed is no part.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine

from tests.embedded import temporary_home
from tip_assets.generation.bench_endpoints import bench_endpoints
from tip_assets.generation.engine import SharedRecords
from tip_assets.generation.engine_bench import measure
from tip_resources.database.connection import close, database
from tip_resources.database.performance import new_run_id
from tip_resources.domain.priority import QUEUE_PRIORITY, Priority
from tip_resources.rehearsal.process import rehearsal_process
from tip_resources.settings.layers import node_name
from tip_resources.settings.models import Settings

_MAX_OUTPUT_TOKENS = 4096
_HEAD_START_SECONDS = 5.0


class Set:
    """One set that is made: answers so far, and the seconds it took."""

    def __init__(self, folder: Path, name: str, count: int, priority: Priority) -> None:
        self.folder, self.count = folder / name, count
        self.priority: Priority = priority
        self.kept, self.seconds = 0, 0.0

    async def make(self, url: str, store: Engine) -> None:
        """Until all answers are there."""
        settings = Settings()
        endpoints = await bench_endpoints((url,), None, settings, say=lambda _: None)
        shared = SharedRecords(store, new_run_id(), node_name(os.environ), self.priority)
        begun = time.monotonic()
        await measure(
            endpoints,
            self.count,
            self.folder,
            settings=settings,
            shared=shared,
            max_output_tokens=_MAX_OUTPUT_TOKENS,
            on_kept=self._note,
        )
        self.seconds = time.monotonic() - begun

    def _note(self, kept: int) -> None:
        self.kept = kept


def main() -> None:
    """Prints what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=8, help="answers at once of the server")
    parser.add_argument("--large", type=int, default=400, help="answers of the set asked first")
    parser.add_argument("--small", type=int, default=24, help="answers of the set asked later")
    parser.add_argument("--small-priority", choices=list(QUEUE_PRIORITY), default="normal")
    parser.add_argument("--tokens-per-second", type=int, default=300, help="of each slot")
    options = parser.parse_args()
    knobs = ("--slots", str(options.slots), "--tokens-per-second", str(options.tokens_per_second))
    with temporary_home() as home, tempfile.TemporaryDirectory() as folder, rehearsal_process(*knobs) as url:
        store = database(home)
        try:
            asyncio.run(_measure(url, store, Path(folder), options))
        finally:
            close(home)


async def _measure(url: str, store: Engine, folder: Path, options: argparse.Namespace) -> None:
    alone = Set(folder, "alone", options.small, options.small_priority)
    await alone.make(url, store)
    large = Set(folder, "large", options.large, "normal")
    making = asyncio.create_task(large.make(url, store))
    await asyncio.sleep(_HEAD_START_SECONDS)
    before = large.kept
    small = Set(folder, "small", options.small, options.small_priority)
    await small.make(url, store)
    meanwhile = large.kept - before
    if making.done():
        raise SystemExit("the large set ended first: ask for more with --large")
    making.cancel()
    await asyncio.gather(making, return_exceptions=True)
    print(f"small set of {options.small} ({options.small_priority}), alone: {alone.seconds:.1f} s")
    print(f"  beside a large one of normal priority: {small.seconds:.1f} s, {small.seconds / alone.seconds:.2f} times")
    print(f"  answers meanwhile: {small.kept} of the small set, {meanwhile} of the large one")


if __name__ == "__main__":
    main()
