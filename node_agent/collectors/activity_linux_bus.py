"""Asks programs of the person's desktop over the D-Bus session bus, through busctl or gdbus, whichever is installed."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from node_agent.collectors.activity_reading import NotInstalled, Run, Unknown

_BUS = "org.freedesktop.DBus"
_BUS_PATH = "/org/freedesktop/DBus"
# busctl prints the D-Bus type and the value ("b true", "i 2"); gdbus a GLib tuple ("(true,)", "(<2>,)").
_BOOLEAN = re.compile(r"(?:b (true|false)|\((true|false),\))")
_INTEGER = re.compile(r"(?:[nqiuxt] (-?\d+)|\(<?(?:u?int(?:16|32|64) )?(-?\d+)>?,\))")
_NAME_IN_LIST = re.compile(r"""["']([^"']+)["']""")


class SessionBus:
    """The bus of the person whose programs the agent runs beside.

    Args:
        run: Runs busctl and gdbus.
        environ: The environment, which says where the bus is.
    """

    def __init__(self, run: Run, environ: Mapping[str, str]) -> None:
        self._run = run
        self._environ = environ

    def has_owner(self, name: str) -> bool:
        """Whether a program of that name is on the bus now. Starts nothing."""
        answer = self._ask_bus("NameHasOwner", name)
        return _matched(_BOOLEAN, answer) == "true"

    def can_be_started(self, name: str) -> bool:
        """Whether the bus would start a program of that name when asked for it: it is installed."""
        return name in _NAME_IN_LIST.findall(self._ask_bus("ListActivatableNames"))

    def integer_property(self, name: str, path: str, field: str) -> int:
        """A property of the program's interface of the same name. Starts the program unless it runs."""
        answer = self._either(
            ("busctl", "--user", "get-property", name, path, name, field),
            (*_gdbus_call(name, path, "org.freedesktop.DBus.Properties.Get"), name, field),
        )
        return int(_matched(_INTEGER, answer))

    def integer_answer(self, name: str, path: str, interface: str, method: str) -> int:
        """What a method without arguments gives."""
        answer = self._either(
            ("busctl", "--user", "call", name, path, interface, method),
            _gdbus_call(name, path, f"{interface}.{method}"),
        )
        return int(_matched(_INTEGER, answer))

    def _ask_bus(self, method: str, *names: str) -> str:
        types = ("s" * len(names), *names) if names else ()
        return self._either(
            ("busctl", "--user", "call", _BUS, _BUS_PATH, _BUS, method, *types),
            (*_gdbus_call(_BUS, _BUS_PATH, f"{_BUS}.{method}"), *names),
        )

    def _either(self, busctl: Sequence[str], gdbus: Sequence[str]) -> str:
        # gdbus starts a bus of its own where there is none, so it must not be asked then.
        runtime = self._environ.get("XDG_RUNTIME_DIR")
        if not self._environ.get("DBUS_SESSION_BUS_ADDRESS") and not (runtime and Path(runtime, "bus").exists()):
            raise Unknown(
                "the agent has no session bus: run it as a service of the person's own session (systemctl --user)"
            )
        try:
            return self._run(busctl)
        except NotInstalled:
            pass
        try:
            return self._run(gdbus)
        except NotInstalled:
            raise Unknown("neither busctl nor gdbus is installed") from None


def _gdbus_call(name: str, path: str, method: str) -> tuple[str, ...]:
    return ("gdbus", "call", "--session", "--dest", name, "--object-path", path, "--method", method)


def _matched(pattern: re.Pattern[str], answer: str) -> str:
    match = pattern.fullmatch(answer.strip())
    if match is None:
        raise Unknown("the session bus gave an answer of an unexpected form")
    return next(group for group in match.groups() if group is not None)
