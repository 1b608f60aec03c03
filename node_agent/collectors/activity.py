"""Whether a person uses the machine. How each system tells is in activity_linux, activity_windows, activity_macos.

Yes, no or unknown; never which program, window or person, neither in the report nor in a log or an error. A game that
the system does not recognise as one shows in the use of the graphics card, which is another section.
"""

import platform
from collections.abc import Callable, Mapping
from typing import Protocol

from node_agent.collectors.activity_linux import LinuxActivity
from node_agent.collectors.activity_macos import MacActivity
from node_agent.collectors.activity_windows import WindowsActivity
from node_agent.collectors.base import NoData
from node_agent.report import Activity


class Machine(Protocol):
    """One operating system's way to tell."""

    def collect(self) -> Activity:
        """The signs now; each that cannot be read says why."""
        ...


_MACHINES: Mapping[str, Callable[[], Machine]] = {
    "Linux": LinuxActivity,
    "Windows": WindowsActivity,
    "Darwin": MacActivity,
}


class ActivityCollector:
    """The section `activity`.

    Args:
        system: The operating system, as platform.system() names it.
        machines: How each system tells.
    """

    name = "activity"
    # The signs are read side by side; the longest takes four programs of at most a second each.
    timeout_seconds = 5.0

    def __init__(
        self, system: str = platform.system(), machines: Mapping[str, Callable[[], Machine]] = _MACHINES
    ) -> None:
        self._system = system
        self._machine = machines[system]() if system in machines else None

    def collect(self) -> Activity:
        """The signs now; each that cannot be read says why.

        Raises:
            NoData: Nobody wrote how this operating system tells.
        """
        if self._machine is None:
            raise NoData(f"nobody wrote how {self._system or 'this system'} tells that a person is there")
        return self._machine.collect()
