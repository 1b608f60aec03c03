"""Every fault at every moment: the set ends complete, with exactly the calls asked, each once, and no half file."""

import sys
from collections.abc import Iterator

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
from tests.faults.own_network import can_make_networks, own_network
from tests.faults.shifted_clock import COMPILER
from tests.faults.table import write_table
from tests.small_disk import can_mount

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="signals, mounts and LD_PRELOAD as Linux has them"),
]
DATA_BYTES, DISK_BYTES = 64 << 20, 600 << 20
# Run with the slow tests; all others take `make test-faults`.
SAMPLE = {("run worker", "half way"), ("step", "first call"), ("PostgreSQL", "half way"), ("supervisor", "half way")}


@pytest.fixture(scope="module")
def cells(request: pytest.FixtureRequest) -> Iterator[list[Cell]]:
    """What became of the sets of this run; with --write-table it goes into the docs."""
    found: list[Cell] = []
    yield found
    if request.config.getoption("--write-table", default=False):
        write_table(found)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with living_house() as house:
        yield house


@pytest.fixture(scope="module")
def house_on_small_disk() -> Iterator[House]:
    if not can_mount():
        pytest.skip("this account may not mount a file system")
    with living_house(data_bytes=DATA_BYTES) as house:
        yield house


@pytest.fixture(scope="module")
def house_that_fills_up() -> Iterator[House]:
    if not can_mount():
        pytest.skip("this account may not mount a file system")
    with living_house(disk_bytes=DISK_BYTES) as house:
        yield house


@pytest.fixture(scope="module")
def house_with_a_cable() -> Iterator[House]:
    if not can_make_networks():
        pytest.skip("this account may not make a network")
    with own_network() as network, living_house(network=network) as house:
        yield house


def _cell(fault: Fault, moment: Moment) -> object:
    marks = [] if (fault.name, moment.name) in SAMPLE else [pytest.mark.every_moment]
    if fault.name.startswith(("clock", "asleep")):
        marks.append(pytest.mark.skipif(COMPILER is None, reason="no C compiler to make a clock that can be set"))
    return pytest.param(fault, moment, id=f"{fault.name}-{moment.name}".replace(" ", "_").lower(), marks=marks)


CELLS = [
    *(_cell(fault, moment) for fault in FAULTS for moment in MOMENTS if moment.has_run or not fault.needs_run),
    *(_cell(fault, moment) for fault in OF_THE_MACHINE for moment in MOMENTS_OF_THE_MACHINE),
]
CELLS_OF_THE_DISK = [_cell(fault, moment) for fault in OF_THE_DISK for moment in MOMENTS_OF_THE_MACHINE]
CELLS_OF_THE_SHARED_DISK = [_cell(fault, moment) for fault in OF_THE_SHARED_DISK for moment in MOMENTS_OF_THE_MACHINE]
CELLS_OF_THE_NETWORK = [_cell(fault, moment) for fault in OF_THE_NETWORK for moment in MOMENTS_OF_THE_MACHINE]


@pytest.mark.parametrize(("fault", "moment"), CELLS)
def test_the_set_ends_whole(
    house: House, cells: list[Cell], fault: Fault, moment: Moment, request: pytest.FixtureRequest
) -> None:
    cells.append(meet(house, fault, moment, request.node.callspec.id))
    assert cells[-1].is_whole(), f"{cells[-1]} {house.log()}"


@pytest.mark.parametrize(("fault", "moment"), CELLS_OF_THE_DISK)
def test_a_set_whose_disk_takes_nothing_for_a_while_ends_whole(
    house_on_small_disk: House, cells: list[Cell], fault: Fault, moment: Moment, request: pytest.FixtureRequest
) -> None:
    cells.append(meet(house_on_small_disk, fault, moment, request.node.callspec.id))
    assert cells[-1].is_whole(), f"{cells[-1]} {house_on_small_disk.log()}"


@pytest.mark.parametrize(("fault", "moment"), CELLS_OF_THE_SHARED_DISK)
def test_a_set_whose_disk_fills_up_with_the_database_on_it_ends_whole(
    house_that_fills_up: House, cells: list[Cell], fault: Fault, moment: Moment, request: pytest.FixtureRequest
) -> None:
    cells.append(meet(house_that_fills_up, fault, moment, request.node.callspec.id))
    assert cells[-1].is_whole(), f"{cells[-1]} {house_that_fills_up.log()}"


@pytest.mark.parametrize(("fault", "moment"), CELLS_OF_THE_NETWORK)
def test_a_set_whose_model_server_cannot_be_reached_for_a_while_ends_whole(
    house_with_a_cable: House, cells: list[Cell], fault: Fault, moment: Moment, request: pytest.FixtureRequest
) -> None:
    cells.append(meet(house_with_a_cable, fault, moment, request.node.callspec.id))
    assert cells[-1].is_whole(), f"{cells[-1]} {house_with_a_cable.log()}"
