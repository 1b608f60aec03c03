"""Every fault at every moment: the set ends complete, with exactly the calls asked, each once, and no half file."""

import sys
from collections.abc import Iterator

import pytest

from tests.faults.cells import FAULTS, MOMENTS, MOMENTS_OF_THE_MACHINE, OF_THE_MACHINE, Fault, Moment, meet
from tests.faults.house import House, can_mount, living_house
from tests.faults.shifted_clock import COMPILER

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="signals, mounts and LD_PRELOAD as Linux has them"),
]
DISK_BYTES = 64 << 20
# Run with the slow tests; all others take `make test-faults`.
SAMPLE = {("run worker", "half way"), ("step", "first call"), ("PostgreSQL", "half way"), ("supervisor", "half way")}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with living_house(disk_bytes=DISK_BYTES if can_mount() else None) as house:
        yield house


def _cell(fault: Fault, moment: Moment) -> object:
    marks = [] if (fault.name, moment.name) in SAMPLE else [pytest.mark.every_moment]
    if fault.name.startswith(("clock", "asleep")):
        marks.append(pytest.mark.skipif(COMPILER is None, reason="no C compiler to make a clock that can be set"))
    return pytest.param(fault, moment, id=f"{fault.name}-{moment.name}".replace(" ", "_"), marks=marks)


CELLS = [
    *(_cell(fault, moment) for fault in FAULTS for moment in MOMENTS if moment.has_run or not fault.needs_run),
    *(_cell(fault, moment) for fault in OF_THE_MACHINE for moment in MOMENTS_OF_THE_MACHINE),
]


@pytest.mark.parametrize(("fault", "moment"), CELLS)
def test_the_set_ends_whole(house: House, fault: Fault, moment: Moment, request: pytest.FixtureRequest) -> None:
    if fault.name.startswith("disk") and not house.has_own_disk:
        pytest.skip("this account may not mount a file system")
    cell_id = request.node.callspec.id
    # Another seed for each: the same plan would be found to be delivered already.
    seed = 1 + sum(ord(letter) * place for place, letter in enumerate(cell_id, start=1))
    cell = meet(house, fault, moment, cell_id.lower(), seed)
    print(cell.line())
    assert cell.is_whole(), f"{cell} {house.log()}"
