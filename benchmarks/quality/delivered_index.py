"""What looking up and adding calls costs in PostgreSQL, once many calls have been delivered.

    python -m benchmarks.quality.delivered_index
    python -m benchmarks.quality.delivered_index --rows 1000000

Fills the index of delivered calls with made-up calls of about 1 kB, in data sets of 10,000, then looks up and adds one
more set of 1,000 calls, a tenth of them edited copies of delivered ones. CPU seconds are of this process and of the
database's that serve it. The database is tip's own embedded server, in a temporary folder; a million calls take about
4 GB on disk.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import psutil
from sqlalchemy import Engine, text

from tests.embedded import temporary_home
from tip_assets.quality.duplicates.comparison import sketched
from tip_assets.quality.duplicates.earlier_calls import DeliveredCalls
from tip_assets.quality.duplicates.thresholds import DEFAULT
from tip_resources.database.connection import close, database
from tip_resources.database.delivered import DeliveredIndex
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.sketch import CallSketch

T = TypeVar("T")

SET_CALLS, NEW_CALLS, COPIES, LIVE_CALLS = 10_000, 1_000, 100, 100
_SYLLABLES = ("ba", "do", "fe", "gu", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "wo", "ze", "cha", "plo")
# Words are drawn as unevenly as people use them: the rank of a word to the power of 3 of a random number.
_VOCABULARY = ["".join((a, b, c)) for a in _SYLLABLES for b in _SYLLABLES for c in _SYLLABLES]
# Sentences that every agent says, so that some keys are shared by thousands of calls.
_STOCK = ("thank you for calling harbor telecom how may I help you today", "is there anything else I can do for you")


def main() -> None:
    """Fills, looks up, adds, and prints one line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="calls delivered before; default: %(default)s")
    rows = parser.parse_args().rows
    with temporary_home() as home:
        engine = database(home)
        try:
            _measure(engine, rows)
        finally:
            close(home)


def _measure(engine: Engine, rows: int) -> None:
    filling = Filling()
    for first in range(0, rows, SET_CALLS):
        began = time.process_time()
        sketches = list(_sketches(made_up(first, min(SET_CALLS, rows - first))))
        making = time.process_time() - began
        began, cpu = time.perf_counter(), _cpu_seconds(engine)
        DeliveredIndex(engine).replace_dataset(f"set-{first:08d}", sketches)
        filling.add(len(sketches), _cpu_seconds(engine) - cpu, time.perf_counter() - began, making)

    new = [*made_up(rows, NEW_CALLS - COPIES), *(edited(one) for one in made_up(0, COPIES))]
    sketches = list(_sketches(iter(new)))
    index = DeliveredIndex(engine, excluding="new")
    delivered = DeliveredCalls(index, DEFAULT)
    _timed(engine, f"look up {NEW_CALLS:,} calls, first time", lambda: index.near(sketches))
    found = _timed(engine, f"look up and compare {NEW_CALLS:,} calls", lambda: delivered.repeated_by(sketches))
    print(f"  {sum(1 for one in found if one)} found, {COPIES} planted")
    each = _timed(
        engine,
        f"look up and compare {LIVE_CALLS} calls one at a time",
        lambda: [delivered.repeated_by([sketch])[0] for sketch in sketches[-LIVE_CALLS:]],
    )
    print(f"  {sum(1 for one in each if one)} found, {LIVE_CALLS} planted")
    _timed(engine, f"add {NEW_CALLS:,} calls as a set", lambda: index.replace_dataset("new", sketches))
    _timed(engine, "add the same set again, unchanged", lambda: index.replace_dataset("new", sketches))
    _print_sizes(engine)


class Filling:
    """What filling costs; prints a line every 100,000 calls."""

    def __init__(self) -> None:
        self._calls = 0
        self._of_last = np.zeros(3)

    def add(self, calls: int, cpu_seconds: float, seconds: float, making: float) -> None:
        """A set was added; `making` are the CPU seconds of making its sketches, before."""
        self._calls += calls
        self._of_last += (cpu_seconds, seconds, making)
        if self._calls % (10 * SET_CALLS) == 0:
            cpu, wall, made = self._of_last
            print(f"  {self._calls:>9,} calls: the last 100,000 took {cpu:.1f} CPU s, {wall:,.0f} s", end="")
            print(f" (made before, in {made:.0f} CPU s)", flush=True)
            self._of_last[:] = 0


def made_up(first: int, count: int) -> Iterator[Conversation]:
    """Calls of about 1 kB, always the same for a number."""
    for number in range(first, first + count):
        chance = random.Random(number)
        turns = [_said(" ".join(_words(chance, 12)), turn) for turn in range(12)]
        yield Conversation(id=f"call-{number}", turns=(_said(_STOCK[0], 0), *turns, _said(_STOCK[1], 0)))


def edited(call: Conversation) -> Conversation:
    """A copy with every tenth word another."""
    chance = random.Random(call.id)
    turns = []
    for number, turn in enumerate(call.turns):
        said = [_words(chance, 1)[0] if chance.random() < 0.1 else word for word in turn.text.split()]
        turns.append(_said(" ".join(said), number))
    return Conversation(id=f"copy of {call.id}", turns=tuple(turns))


def _words(chance: random.Random, count: int) -> list[str]:
    return [_VOCABULARY[int(len(_VOCABULARY) * chance.random() ** 3)] for _ in range(count)]


def _said(words: str, turn: int) -> Turn:
    return Turn(speaker="agent" if turn % 2 == 0 else "customer", text=words)


def _sketches(calls: Iterator[Conversation]) -> Iterator[CallSketch]:
    return (sketch for batch in sketched(calls) for _, sketch in batch)


def _timed(engine: Engine, what: str, work: Callable[[], T]) -> T:
    began, cpu = time.perf_counter(), _cpu_seconds(engine)
    done = work()
    cpu = _cpu_seconds(engine) - cpu
    print(f"{what}: {cpu:.2f} CPU s, {time.perf_counter() - began:.2f} s")
    return done


def _cpu_seconds(engine: Engine) -> float:
    with engine.connect() as connection:
        backends = connection.scalars(text("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"))
        times = [psutil.Process(pid).cpu_times() for pid in backends]
    return time.process_time() + sum(one.user + one.system for one in times)


def _print_sizes(engine: Engine) -> None:
    with engine.connect() as connection:
        table = connection.scalar(text("SELECT pg_table_size('tip.conversations')")) or 0
        indexes = connection.execute(
            text(
                "SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes "
                "WHERE schemaname = 'tip' AND relname = 'conversations' ORDER BY 2 DESC"
            )
        )
        print(f"table {table / 1e6:,.1f} MB")
        for name, size in indexes:
            print(f"  index {name} {size / 1e6:,.1f} MB")


if __name__ == "__main__":
    main()
