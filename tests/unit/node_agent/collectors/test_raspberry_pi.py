"""Promises of the throttle bits of a Raspberry Pi."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.collectors.asking import NotInstalled, Runner, Unanswered
from node_agent.collectors.raspberry_pi import RaspberryPiFirmware, throttle_reasons
from tests.unit.node_agent.collectors.sysfs_tree import write_tree

FILE_OF_A_PI_4 = "devices/platform/soc/soc:firmware/get_throttled"
FILE_OF_A_PI_5 = "devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"


def saying(text: str) -> Runner:
    def run(command: Sequence[str], timeout_seconds: float) -> str:
        assert tuple(command) == ("vcgencmd", "get_throttled")
        return text

    return run


def not_installed(command: Sequence[str], timeout_seconds: float) -> str:
    raise NotInstalled("vcgencmd is not installed")


def not_allowed(command: Sequence[str], timeout_seconds: float) -> str:
    raise Unanswered("vcgencmd ended with 255: Can't open device file: /dev/vcio")


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_only_the_four_bits_of_now_are_reasons(bits: int) -> None:
    names = ("under_voltage", "frequency_capped", "thermal", "soft_limit")
    assert throttle_reasons(bits) == tuple(name for place, name in enumerate(names) if bits >> place & 1)
    assert throttle_reasons(bits) == throttle_reasons(bits & 0xF)


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        ("throttled=0x0\n", ()),
        ("throttled=0x50000\n", ()),  # only since boot
        ("throttled=0x50005\n", ("under_voltage", "thermal")),
        ("throttled=0xe0008\n", ("soft_limit",)),
    ],
)
def test_vcgencmd_is_understood(said: str, reasons: tuple[str, ...], tmp_path: Path) -> None:
    assert RaspberryPiFirmware(tmp_path, saying(said)).throttled() == reasons


@pytest.mark.parametrize("file", [FILE_OF_A_PI_4, FILE_OF_A_PI_5])
@pytest.mark.parametrize("run", [not_installed, not_allowed, saying('error=1 error_msg="Command not registered"')])
def test_the_kernels_file_is_read_where_vcgencmd_gives_nothing(run: Runner, file: str, tmp_path: Path) -> None:
    write_tree(tmp_path, {file: "50006"})
    assert RaspberryPiFirmware(tmp_path, run).throttled() == ("frequency_capped", "thermal")


def test_another_machine_says_nothing_and_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert RaspberryPiFirmware(tmp_path, not_installed).throttled() == ()
    assert not caplog.records


def test_a_board_that_does_not_tell_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    firmware = RaspberryPiFirmware(tmp_path, not_allowed)
    with caplog.at_level(logging.WARNING):
        assert (firmware.throttled(), firmware.throttled()) == ((), ())
    assert [record.message for record in caplog.records] == [
        "throttling of this Raspberry Pi is not known: vcgencmd ended with 255: Can't open device file: /dev/vcio"
    ]
