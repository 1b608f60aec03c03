"""Every fault at every moment: the set ends complete, with exactly the calls asked, each once, and no half file."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.faults.cells import (
    FAULTS,
    MOMENTS,
    MOMENTS_OF_THE_MACHINE,
    OF_THE_DISK,
    OF_THE_MACHINE,
    OF_THE_NETWORK,
    OF_THE_SHARED_DISK,
    Cell,
    Fault,
    Moment,
    meet,
)
from tests.faults.house import House, living_house
from tests.faults.own_network import own_network
from tests.faults.shifted_clock import COMPILER
from tests.faults.table import write_table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="signals, mounts and LD_PRELOAD as Linux has them"),
]
DATA_BYTES, DISK_BYTES = 64 << 20, 600 << 20
# Run with the slow tests; all others take `make test-faults`.
SAMPLE = {("run worker", "half way"), ("step", "first call"), ("PostgreSQL", "half way"), ("supervisor", "half way")}


@contextmanager
def _behind_a_cable() -> Iterator[House]:
    with own_network() as network, living_house(network=network) as house:
        yield house


HOUSES: dict[str, Callable[[], AbstractContextManager[House]]] = {
    "plain": living_house,
    "data on a small disk": lambda: living_house(data_bytes=DATA_BYTES),
    "all on a small disk": lambda: living_house(disk_bytes=DISK_BYTES),
    "model server behind a cable": _behind_a_cable,
}


@pytest.fixture(scope="module")
def cells(request: pytest.FixtureRequest) -> Iterator[list[Cell]]:
    """What became of the sets of this run; with --write-table it goes into the docs."""
    found: list[Cell] = []
    yield found
    if request.config.getoption("--write-table", default=False):
        write_table(found)


@pytest.fixture(scope="module")
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """One of HOUSES, for all the cells that need that one."""
    with HOUSES[request.param]() as house:
        yield house


def _cells(house: str, faults: Sequence[Fault], moments: Sequence[Moment]) -> Iterator[object]:
    for fault in faults:
        for moment in moments:
            if fault.needs_run and not moment.has_run:
                continue
            marks = [] if (fault.name, moment.name) in SAMPLE else [pytest.mark.every_moment]
            if fault.name.startswith(("clock", "asleep")):
                marks.append(
                    pytest.mark.skipif(COMPILER is None, reason="no C compiler to make a clock that can be set")
                )
            name = f"{fault.name}-{moment.name}".replace(" ", "_").lower()
            yield pytest.param(house, fault, moment, id=name, marks=marks)


CELLS = [
    *_cells("plain", FAULTS, MOMENTS),
    *_cells("plain", OF_THE_MACHINE, MOMENTS_OF_THE_MACHINE),
    *_cells("data on a small disk", OF_THE_DISK, MOMENTS_OF_THE_MACHINE),
    *_cells("all on a small disk", OF_THE_SHARED_DISK, MOMENTS_OF_THE_MACHINE),
    *_cells("model server behind a cable", OF_THE_NETWORK, MOMENTS_OF_THE_MACHINE),
]


@pytest.mark.parametrize(("house", "fault", "moment"), CELLS, indirect=["house"])
def test_the_set_ends_whole(
    house: House, cells: list[Cell], fault: Fault, moment: Moment, request: pytest.FixtureRequest
) -> None:
    cells.append(meet(house, fault, moment, request.node.callspec.id))
    assert cells[-1].is_whole(), f"{cells[-1]} {house.log()}"
