"""What the firmware of a Raspberry Pi says about its supply and heat, now."""

import logging
import re
from pathlib import Path

from node_agent.collectors.asking import NotInstalled, Runner, Unanswered, run_program
from node_agent.report import ThrottleReason

_LOG = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 2.0
# raspberrypi.com/documentation/computers/os.html, get_throttled. Bits 16 to 19 say the same of the time since boot and
# are never cleared, so they tell nothing about now. Bit 2 is heat or a low voltage; with bit 0 both are said.
_REASONS: tuple[tuple[int, ThrottleReason], ...] = (
    (0x1, "under_voltage"),
    (0x2, "frequency_capped"),
    (0x4, "thermal"),
    (0x8, "soft_limit"),
)
# Kernels from 4.14: hexadecimal without 0x. The folder is soc on models to 4, soc@107c000000 on the 5.
_FILES = "devices/platform/soc*/soc*:firmware/get_throttled"


class RaspberryPiFirmware:
    """Asks by `vcgencmd`, else by the kernel's file. Other machines have neither and say nothing."""

    def __init__(self, sys_root: Path = Path("/sys"), run: Runner = run_program) -> None:
        self._sys = sys_root
        self._run = run
        self._complaint = ""

    def throttled(self) -> tuple[ThrottleReason, ...]:
        """Why the board runs slower than it could now; empty too where it does not tell, which is logged once."""
        try:
            return throttle_reasons(self._bits())
        except NotInstalled:
            return ()
        except Unanswered as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _LOG.warning("throttling of this Raspberry Pi is not known: %s", error)
            return ()

    def _bits(self) -> int:
        try:
            return _parsed(self._run(("vcgencmd", "get_throttled"), _TIMEOUT_SECONDS), r"throttled=0x([0-9a-fA-F]+)")
        except Unanswered as error:
            # Without the group `video` vcgencmd may not open its device; everybody may read the file.
            file = next(self._sys.glob(_FILES), None)
            if file is None:
                raise error
            return _parsed(_text(file), "([0-9a-fA-F]+)")


def throttle_reasons(bits: int) -> tuple[ThrottleReason, ...]:
    """The reasons in a value of `get_throttled`."""
    return tuple(reason for bit, reason in _REASONS if bits & bit)


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError as error:
        raise Unanswered(f"{file} cannot be read: {error.strerror}") from error


def _parsed(text: str, pattern: str) -> int:
    found = re.fullmatch(pattern, text.strip())
    if found is None:
        raise Unanswered(f"no value of get_throttled: {text.strip()[:100]!r}")
    return int(found[1], 16)
