"""Signs of a person on Linux: games, full screen and idle time. Microphone and camera: activity_linux_devices.py.

Most are told only to programs in the person's own session; the agent as a system service says so, and how to mend it.
"""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from node_agent.collectors.activity_linux_bus import SessionBus
from node_agent.collectors.activity_linux_devices import Devices
from node_agent.collectors.activity_reading import NotInstalled, Run, Unknown, reading_of, run_command, sign_of
from node_agent.report import Activity

_GAME_MODE = "com.feralinteractive.GameMode"
_GAME_MODE_PATH = "/com/feralinteractive/GameMode"
_MUTTER = "org.gnome.Mutter.IdleMonitor"
_MUTTER_PATH = "/org/gnome/Mutter/IdleMonitor/Core"
_SESSION_FIELDS = ("Class", "Remote", "State", "Type", "IdleHint", "IdleSinceHintMonotonic")
_SESSION_ID = re.compile(r"\w+", re.ASCII)
# systemd 256 splits the class of people's sessions; greeters, lock screens, managers and cron have other classes.
_PERSON_CLASSES = frozenset({"user", "user-early", "user-light"})
_GRAPHICAL_TYPES = frozenset({"x11", "wayland", "mir"})
_ACTIVE_WINDOW = re.compile(r"_NET_ACTIVE_WINDOW\(WINDOW\): window id # (0x[0-9a-f]+)")
_NO_WINDOW = 0

Session = Mapping[str, str]


class LinuxActivity:
    """Looks at a Linux machine.

    Args:
        run: Runs busctl, gdbus, loginctl, xprop and pactl.
        environ: The agent's environment, which says whether it is in a person's session.
        proc: Where the kernel shows processes and sound cards.
        sys: Where the kernel shows devices.
        monotonic: Seconds of the clock that logind counts idle times by.
    """

    def __init__(
        self,
        run: Run = run_command,
        environ: Mapping[str, str] = os.environ,
        proc: Path = Path("/proc"),
        sys: Path = Path("/sys"),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._environ = environ
        self._bus = SessionBus(run, environ)
        self._devices = Devices(run, environ, proc, sys)
        self._monotonic = monotonic

    def collect(self) -> Activity:
        with ThreadPoolExecutor(max_workers=5, thread_name_prefix="activity") as pool:
            gaming = pool.submit(sign_of, self._is_gaming)
            full_screen = pool.submit(sign_of, self._is_full_screen)
            microphone = pool.submit(sign_of, self._devices.is_microphone_in_use)
            camera = pool.submit(sign_of, self._devices.is_camera_in_use)
            idle_seconds = pool.submit(reading_of, self._idle_seconds)
            return Activity(
                gaming.result(), full_screen.result(), microphone.result(), camera.result(), idle_seconds.result()
            )

    def _is_gaming(self) -> bool:
        # GameMode is started by asking it anything, so first ask the bus whether it runs.
        if self._bus.has_owner(_GAME_MODE):
            return self._bus.integer_property(_GAME_MODE, _GAME_MODE_PATH, "ClientCount") > 0
        if self._bus.can_be_started(_GAME_MODE):
            return False
        raise Unknown("GameMode is not installed: with it, games that start it are seen (gamemoderun)")

    def _is_full_screen(self) -> bool:
        if self._environ.get("WAYLAND_DISPLAY"):
            raise Unknown("Wayland tells no program about the windows of others")
        if not self._environ.get("DISPLAY"):
            raise Unknown(
                "the agent has no display: run it as a service of the person's own session (systemctl --user)"
            )
        match = _ACTIVE_WINDOW.search(self._run(("xprop", "-root", "_NET_ACTIVE_WINDOW")))
        if match is None:
            raise Unknown("the window manager does not tell which window is in front")
        if int(match[1], 16) == _NO_WINDOW:
            return False
        return "_NET_WM_STATE_FULLSCREEN" in self._run(("xprop", "-id", match[1], "_NET_WM_STATE"))

    def _idle_seconds(self) -> float:
        try:
            if self._bus.has_owner(_MUTTER):
                return self._bus.integer_answer(_MUTTER, _MUTTER_PATH, _MUTTER, "GetIdletime") / 1_000
        except Unknown:
            # No session bus is the usual case of a system service; the login manager answers any program.
            pass
        return idle_seconds(self._sessions(), self._monotonic())

    def _sessions(self) -> Sequence[Session]:
        try:
            listed = self._run(("loginctl", "list-sessions", "--no-legend"))
        except NotInstalled:
            raise Unknown("neither GNOME nor a systemd login manager tells the idle time") from None
        ids = [words[0] for line in listed.splitlines() if (words := line.split()) and _SESSION_ID.fullmatch(words[0])]
        if not ids:
            return ()
        fields = (f"--property={field}" for field in _SESSION_FIELDS)
        return sessions_in(self._run(("loginctl", "show-session", *ids, *fields)))


def sessions_in(shown: str) -> Sequence[Session]:
    """The sessions of `loginctl show-session`: lines of field=value, an empty line between sessions."""
    blocks = (block.splitlines() for block in shown.split("\n\n"))
    sessions = [dict(line.split("=", 1) for line in block if "=" in line) for block in blocks]
    return [session for session in sessions if session]


def idle_seconds(sessions: Sequence[Session], now_seconds: float) -> float:
    """Seconds since a person at the machine last touched it, from the login manager's sessions.

    Only people's sessions in front of a screen or terminal of this machine count. A terminal's session tells its
    last input; a desktop tells when it went idle, which most do minutes after the last input, and some never do.

    Raises:
        Unknown: Nobody is logged in at the machine, or a desktop never told.
    """
    here = [
        session
        for session in sessions
        if session.get("Class") in _PERSON_CLASSES
        and session.get("Remote") == "no"
        and session.get("State") == "active"
    ]
    if not here:
        raise Unknown("nobody is logged in at the machine itself")
    return min(_idle_seconds_of(session, now_seconds) for session in here)


def _idle_seconds_of(session: Session, now_seconds: float) -> float:
    since = session.get("IdleSinceHintMonotonic", "")
    if not since.isdecimal() or int(since) == 0:
        raise Unknown("the desktop has not told the login manager about idle times since the login")
    if session.get("Type") in _GRAPHICAL_TYPES and session.get("IdleHint") != "yes":
        # The desktop has called the session idle before and took it back: a person is there.
        return 0.0
    return max(0.0, now_seconds - int(since) / 1_000_000)
