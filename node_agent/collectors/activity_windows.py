"""Signs of a person on Windows: notification state, last input, and the record of who used microphone and camera.

The calls into Windows are in WindowsDesktop; what their answers mean is in functions that need no Windows.
"""

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, Union

from node_agent.collectors.activity_reading import Unknown, reading_of, sign_of
from node_agent.report import Activity, Reading, Sign

_CONSENT_STORE = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore"
_SERVICE_SESSION = 0
_NO_DESKTOP = "a Windows service does not see the person's desktop: start the agent at logon with a scheduled task"
# GetTickCount counts milliseconds in 32 bits, which begin anew every 49.7 days.
_TICKS = 1 << 32
# The time of the last input is taken by another clock and can be a little ahead.
_CLOCK_DISAGREEMENT_MS = 1_000
# FILETIME counts 100 ns from 1601; Unix time seconds from 1970.
_UNIX_EPOCH_FILETIME = 116_444_736_000_000_000
_FILETIME_PER_SECOND = 10_000_000
# The moment of the start is worked out from a clock that may have been set since.
_START_LEEWAY_FILETIME = 60 * _FILETIME_PER_SECOND

# A registry key: its values and, under their names, its subkeys.
RegistryTree: TypeAlias = Mapping[str, Union["RegistryTree", int, str]]


class Desktop(Protocol):
    """What Windows is asked. Each may raise Unknown."""

    def session_id(self) -> int:
        """The session of this process; 0 is that of the services."""
        ...

    def notification_state(self) -> int:
        """The answer of SHQueryUserNotificationState."""
        ...

    def last_input_and_now_ms(self) -> tuple[int, int]:
        """The 32-bit tick of the last input and that of now."""
        ...

    def consent_store(self, device: str) -> RegistryTree:
        """The record of the device ("microphone" or "webcam")."""
        ...

    def booted_at_filetime(self) -> int:
        """When Windows was started."""
        ...


class WindowsActivity:
    """Looks at a Windows desktop.

    Args:
        desktop: Asks Windows; None is this machine's.
    """

    def __init__(self, desktop: Desktop | None = None) -> None:
        self._desktop = desktop or WindowsDesktop()

    def collect(self) -> Activity:
        try:
            is_service = self._desktop.session_id() == _SERVICE_SESSION
        except Unknown as why:
            return _all_unknown(str(why))
        if is_service:
            return _all_unknown(_NO_DESKTOP)
        try:
            gaming, full_screen = signs_of_state(self._desktop.notification_state())
        except Unknown as why:
            gaming = full_screen = Sign.unknown(str(why))
        return Activity(
            gaming=gaming,
            full_screen=full_screen,
            microphone=sign_of(lambda: self._is_in_use("microphone")),
            camera=sign_of(lambda: self._is_in_use("webcam")),
            idle_seconds=reading_of(lambda: idle_seconds(*self._desktop.last_input_and_now_ms())),
        )

    def _is_in_use(self, device: str) -> bool:
        return is_in_use(self._desktop.consent_store(device), self._desktop.booted_at_filetime())


def signs_of_state(state: int) -> tuple[Sign, Sign]:
    """Gaming and full screen, from the number of SHQueryUserNotificationState (QUERY_USER_NOTIFICATION_STATE)."""
    no, yes = Sign(False), Sign(True)
    unknown_game = Sign.unknown("a program fills the screen, and Windows does not tell whether it is a game")
    store_app = Sign.unknown("a Store app is in front, and Windows does not tell what it does")
    signs = {
        1: (no, no),  # Locked, screen saver, or another person's turn.
        2: (unknown_game, yes),  # A film, a browser in full screen, or a game in a borderless window.
        3: (yes, yes),  # Direct3D has the screen to itself.
        4: (no, yes),  # Presentation settings.
        5: (no, no),  # Nothing in the way of notifications.
        6: (no, no),  # The first hour after the first logon.
        7: (store_app, store_app),
    }
    unheard_of = Sign.unknown(f"Windows gives a notification state that is not documented: {state}")
    return signs.get(state, (unheard_of, unheard_of))


def idle_seconds(last_input_ms: int, now_ms: int) -> float:
    """Seconds since the last input, across the point where the 32-bit ticks begin anew."""
    idle_ms = (now_ms - last_input_ms) % _TICKS
    return 0.0 if idle_ms > _TICKS - _CLOCK_DISAGREEMENT_MS else idle_ms / 1_000


def is_in_use(store: RegistryTree, booted_at_filetime: int) -> bool:
    """Whether a program holds the device: it started and has not stopped, since Windows was started.

    A program that dies with the machine leaves "not stopped" behind for ever; hence the time of the start counts.
    """
    started = store.get("LastUsedTimeStart")
    if store.get("LastUsedTimeStop") == 0 and isinstance(started, int):
        return started >= booted_at_filetime - _START_LEEWAY_FILETIME
    return any(is_in_use(key, booted_at_filetime) for key in store.values() if isinstance(key, Mapping))


def registry_tree(winreg: Any, path: str) -> RegistryTree:
    """The key of the current user at this path, with all below it.

    Raises:
        Unknown: There is no such key, or it may not be read.
    """
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
            subkey_count, value_count, _ = winreg.QueryInfoKey(key)
            names = [winreg.EnumKey(key, index) for index in range(subkey_count)]
            values = [winreg.EnumValue(key, index) for index in range(value_count)]
    except FileNotFoundError:
        raise Unknown("Windows keeps no record of microphone and camera; it does since Windows 10 1903") from None
    except OSError as error:
        raise Unknown(f"the record of microphone and camera cannot be read: error {error.errno}") from None
    below = {name: registry_tree(winreg, f"{path}\\{name}") for name in names}
    return {name: value for name, value, _ in values} | below


def _all_unknown(why: str) -> Activity:
    sign = Sign.unknown(why)
    return Activity(sign, sign, sign, sign, Reading.unknown(why))


class WindowsDesktop:
    """Asks this machine's Windows."""

    def session_id(self) -> int:
        if sys.platform != "win32":
            raise Unknown("this is not Windows")
        import ctypes
        from ctypes import wintypes

        session = wintypes.DWORD()
        kernel = ctypes.WinDLL("kernel32")
        if not kernel.ProcessIdToSessionId(kernel.GetCurrentProcessId(), ctypes.byref(session)):
            raise Unknown("Windows does not tell the agent's session")
        return session.value

    def notification_state(self) -> int:
        if sys.platform != "win32":
            raise Unknown("this is not Windows")
        import ctypes

        state = ctypes.c_int()
        result = ctypes.WinDLL("shell32").SHQueryUserNotificationState(ctypes.byref(state))
        if result != 0:
            raise Unknown(f"SHQueryUserNotificationState failed with {result & 0xFFFFFFFF:#010x}")
        return state.value

    def last_input_and_now_ms(self) -> tuple[int, int]:
        if sys.platform != "win32":
            raise Unknown("this is not Windows")
        import ctypes
        from ctypes import wintypes

        class LastInputInfo(ctypes.Structure):
            _fields_ = (("cbSize", wintypes.UINT), ("dwTime", wintypes.DWORD))

        info = LastInputInfo(cbSize=ctypes.sizeof(LastInputInfo))
        if not ctypes.WinDLL("user32").GetLastInputInfo(ctypes.byref(info)):
            raise Unknown("GetLastInputInfo failed")
        ticks = ctypes.WinDLL("kernel32").GetTickCount
        ticks.restype = wintypes.DWORD
        return info.dwTime, ticks()

    def consent_store(self, device: str) -> RegistryTree:
        if sys.platform != "win32":
            raise Unknown("this is not Windows")
        import winreg

        return registry_tree(winreg, f"{_CONSENT_STORE}\\{device}")

    def booted_at_filetime(self) -> int:
        if sys.platform != "win32":
            raise Unknown("this is not Windows")
        import ctypes

        ticks = ctypes.WinDLL("kernel32").GetTickCount64
        ticks.restype = ctypes.c_ulonglong
        booted_at_unix_seconds = time.time() - ticks() / 1_000
        return _UNIX_EPOCH_FILETIME + int(booted_at_unix_seconds * _FILETIME_PER_SECOND)
