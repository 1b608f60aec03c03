"""A small code location for the launching tests: a chain of three assets and a job with mapped steps.

Steps note their beginnings and ends as files in $LAUNCH_TEST_FOLDER, so that a test can count them.
"""

import os
import time
from pathlib import Path

import dagster as dg
from placed_jobs import PLACED_JOBS

from tip_assets.catalogue import RUN_POOL
from tip_resources.launch.executor import node_executor


def note(what: str) -> None:
    """Leaves a file named after `what` and this process."""
    folder = Path(os.environ["LAUNCH_TEST_FOLDER"])
    (folder / f"{what}.{os.getpid()}.{time.monotonic_ns()}").touch()


def wait_for_release(what: str) -> None:
    """Works until the test releases it; not for ever, lest the step of a failed test stays."""
    folder = Path(os.environ["LAUNCH_TEST_FOLDER"])
    deadline = time.monotonic() + 150
    while not (folder / f"release-{what}").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


@dg.asset
def first() -> int:
    note("first")
    return 1


@dg.asset
def second(first: int) -> int:
    note("second")
    return first + 1


@dg.asset
def third(second: int) -> int:
    note("third")
    return second + 1


@dg.op(out=dg.DynamicOut(int))
def plan():
    note("plan")
    for number in range(4):
        yield dg.DynamicOutput(number, mapping_key=str(number))


@dg.op(retry_policy=dg.RetryPolicy(max_retries=2))
def work(number: int) -> int:
    note(f"work-{number}-begins-on-{os.environ['TIP_NODE']}")
    wait_for_release(f"work-{number}")
    note(f"work-{number}-ends")
    return number


@dg.op
def collect(numbers: list[int]) -> int:
    note("collect")
    return sum(numbers)


@dg.job
def mapped():
    collect(plan().map(work).collect())


@dg.op
def ignore_interrupts() -> None:
    note("deaf")
    while True:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001 - deaf to every interrupt, on purpose
            note("interrupted")


@dg.job
def stubborn():
    ignore_interrupts()


@dg.op
def wait_patiently() -> None:
    note("patient-begins")
    try:
        wait_for_release("patient")
    finally:
        note("patient-cleans-up")


@dg.job
def patient():
    wait_patiently()


@dg.op
def crash_once() -> None:
    note("crash")
    folder = Path(os.environ["LAUNCH_TEST_FOLDER"])
    if len(list(folder.glob("crash.*"))) == 1:
        os._exit(7)


@dg.job
def crashing():
    crash_once()


@dg.op(pool=RUN_POOL)
def begin() -> int:
    note("begin")
    return 1


@dg.op(pool=RUN_POOL)
def go_on(number: int) -> None:
    wait_for_release("go-on")
    note("go-on")


@dg.job
def gated():
    go_on(begin())


chain = dg.define_asset_job("chain", selection=[first, second, third])

defs = dg.Definitions(
    assets=[first, second, third],
    jobs=[chain, mapped, stubborn, patient, crashing, gated, *PLACED_JOBS],
    executor=node_executor,
)
