"""The job that start_methods.py measures: one step, whose first line is to write down when it ran."""

import os
import time
from pathlib import Path

import dagster as dg

FIRST_LINE = "START_METHODS_FIRST_LINE"


@dg.op
def say_when() -> None:
    """Writes when its body began, in nanoseconds since boot, for all processes the same clock."""
    now = time.monotonic_ns()
    path = Path(os.environ[FIRST_LINE])
    path.with_suffix(".part").write_text(str(now))
    path.with_suffix(".part").replace(path)


@dg.job
def one_step():
    say_when()
