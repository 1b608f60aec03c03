"""Signs of a person on macOS. Only the idle time has a command that every version tells it by."""

import re

from node_agent.collectors.activity_reading import Run, Unknown, reading_of, run_command
from node_agent.report import Activity, Sign

_IDLE_COMMAND = ("ioreg", "-c", "IOHIDSystem", "-d", "4")
_IDLE_NANOSECONDS = re.compile(r'"HIDIdleTime"\s*=\s*(\d+)')
_NO_COMMAND = "macOS has no command that tells"


class MacActivity:
    """Looks at a Mac.

    Args:
        run: Runs `ioreg`.
    """

    def __init__(self, run: Run = run_command) -> None:
        self._run = run

    def collect(self) -> Activity:
        return Activity(
            gaming=Sign.unknown(f"{_NO_COMMAND} whether a game runs"),
            full_screen=Sign.unknown(f"{_NO_COMMAND} whether a program fills the screen"),
            microphone=Sign.unknown(f"{_NO_COMMAND} whether the microphone is in use"),
            camera=Sign.unknown(f"{_NO_COMMAND} whether the camera is in use"),
            idle_seconds=reading_of(lambda: idle_seconds(self._run(_IDLE_COMMAND))),
        )


def idle_seconds(ioreg: str) -> float:
    """Seconds since the last key or mouse movement, from the registry's nanoseconds.

    Raises:
        Unknown: The registry holds no such value, as on a Mac without a screen session.
    """
    values = [int(value) for value in _IDLE_NANOSECONDS.findall(ioreg)]
    if not values:
        raise Unknown("ioreg lists no HIDIdleTime")
    return min(values) / 1e9
