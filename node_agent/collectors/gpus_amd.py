"""AMD's cards as the Linux driver amdgpu shows them in /sys. Needs no ROCm and no root.

The files are those of the kernel's documentation, gpu/amdgpu/thermal. Which programs use a card is not among them.
"""

import struct
from collections.abc import Callable
from pathlib import Path

from node_agent.collectors.base import NoData
from node_agent.collectors.temperatures import believable_limit, judged
from node_agent.report import Gpu, Reading, ThrottleReason

_VENDOR_ID = "0x1002"


# The file gpu_metrics: a header of size, format and content version (u16, u8, u8), then a table. Where each version
# that has one keeps the throttle status that means the same for all chips (kernel, kgd_pp_interface.h).
_HEADER, _STATUS = struct.Struct("<HBB"), struct.Struct("<Q")
_STATUS_OFFSETS = {(1, 3): 112, (2, 2): 120, (2, 3): 120, (2, 4): 120}
# Bits of that status (kernel, amdgpu_smu.h): limits of power and of current, and of temperature.
_POWER, _THERMAL = 0x0000_00FF_00FF, 0xFFFF_0000_0000
_NOT_TOLD = 2**64 - 1


class _Unread(Exception):
    """A file is not there, cannot be read now, or holds no number; the message says which."""


class AmdCards:
    """Reads files only."""

    def __init__(self, sys_root: Path = Path("/sys")) -> None:
        self._sys = sys_root

    def collect(self) -> list[Gpu]:
        """The cards now, in the kernel's order.

        Raises:
            NoData: The kernel knows no card of AMD.
        """
        # card0 is a card; card0-HDMI-A-1 is one of its sockets.
        folders = sorted(
            (folder for folder in self._sys.glob("class/drm/card*") if folder.name[4:].isdigit()),
            key=lambda folder: int(folder.name[4:]),
        )
        devices = [folder / "device" for folder in folders if _text_or_none(folder / "device" / "vendor") == _VENDOR_ID]
        if not devices:
            raise NoData("AMD: no card in /sys/class/drm")
        return [_card(index, device) for index, device in enumerate(devices)]


def _card(index: int, device: Path) -> Gpu:
    memory = _bytes(device / "mem_info_vram_total"), _bytes(device / "mem_info_vram_used")
    # Asking for heat or load wakes a card that a laptop has switched off.
    if _text_or_none(device / "power" / "runtime_status") == "suspended":
        off, idle = Reading.unknown("the card is switched off to save power"), Reading(0.0)
        return Gpu(index, _name(device), "amd", off, off, off, idle, idle, *memory)
    hwmon = next(iter(sorted(device.glob("hwmon/hwmon*"))), device / "hwmon")
    return Gpu(
        index=index,
        name=_name(device),
        vendor="amd",
        celsius=_celsius(hwmon),
        margin_celsius=_margin(hwmon),
        power_watts=_power(hwmon),
        busy_ratio=_reading(lambda: _number(device / "gpu_busy_percent") / 100),
        others_ratio=Reading.unknown("amdgpu does not tell whose programs use the card"),
        memory_total_bytes=memory[0],
        memory_used_bytes=memory[1],
        throttled=_throttled(device / "gpu_metrics"),
    )


def _name(device: Path) -> str:
    # Only cards with a label of their maker in memory (servers, workstations) have product_name.
    name = _text_or_none(device / "product_name")
    return name or f"AMD GPU {_text_or_none(device / 'device') or 'of unknown type'}"


def _celsius(hwmon: Path) -> Reading:
    try:
        return judged(_number(hwmon / "temp1_input") / 1000)
    except _Unread as error:
        return Reading.unknown(str(error))


def _margin(hwmon: Path) -> Reading:
    """The least distance of any of its sensors (edge, junction, memory) to that sensor's own limit."""
    margins: list[float] = []
    for file in sorted(hwmon.glob("temp[0-9]_crit")):
        try:
            celsius = judged(_number(file.with_name(file.name.replace("_crit", "_input"))) / 1000).value
            limit = believable_limit(_number(file) / 1000)
        except _Unread:
            continue
        if celsius is not None and limit is not None:
            margins.append(limit - celsius)
    return Reading(min(margins)) if margins else Reading.unknown("amdgpu gives no sensor with a limit")


def _power(hwmon: Path) -> Reading:
    # Newer cards give only the power of this moment (kernel 6.4 and later).
    file = next((hwmon / name for name in ("power1_average", "power1_input") if (hwmon / name).exists()), None)
    if file is None:
        return Reading.unknown("amdgpu gives no power")
    return _reading(lambda: _number(file) / 1e6)


def _throttled(file: Path) -> tuple[ThrottleReason, ...]:
    """Why the card is slowed down now; empty too where its table is of a version that does not tell."""
    try:
        table = file.read_bytes()
    except OSError:
        return ()
    offset = _STATUS_OFFSETS.get(_HEADER.unpack_from(table)[1:]) if len(table) >= _HEADER.size else None
    if offset is None or len(table) < offset + _STATUS.size:
        return ()
    (status,) = _STATUS.unpack_from(table, offset)
    if status == _NOT_TOLD:
        return ()
    named: tuple[tuple[int, ThrottleReason], ...] = ((_POWER, "power"), (_THERMAL, "thermal"))
    return tuple(name for bits, name in named if status & bits)


def _reading(read: Callable[[], float]) -> Reading:
    try:
        return Reading(read())
    except _Unread as error:
        return Reading.unknown(str(error))


def _bytes(file: Path) -> int | None:
    try:
        return _number(file)
    except _Unread:
        return None


def _number(file: Path) -> int:
    try:
        return int(file.read_text())
    except OSError as error:
        raise _Unread(f"{file.name}: {error.strerror}") from error
    except ValueError as error:
        raise _Unread(f"{file.name} holds no number") from error


def _text_or_none(file: Path) -> str | None:
    try:
        return file.read_text().strip() or None
    except OSError:
        return None
