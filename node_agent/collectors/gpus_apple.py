"""The graphics part of Apple silicon, from macmon."""

import platform
from collections.abc import Mapping
from typing import Any

from node_agent.collectors.base import NoData
from node_agent.collectors.macmon import Macmon, number
from node_agent.collectors.temperatures import judged
from node_agent.report import Gpu, Reading


class AppleCards:
    """One card that shares its memory with the processor."""

    def __init__(self, macmon: Macmon | None = None, system: str | None = None) -> None:
        self._macmon = macmon or Macmon()
        self._system = system or platform.system()

    def collect(self) -> list[Gpu]:
        """The card now. Its memory is all of the machine's, because any part of it may hold a model.

        Raises:
            NoData: Not a Mac, or no macmon.
        """
        if self._system != "Darwin":
            raise NoData("Apple: not macOS")
        return [apple_card(self._macmon.snapshot())]


def apple_card(said: Mapping[str, Any]) -> Gpu:
    """The card in a document of macmon."""
    soc = said.get("soc")
    chip = soc.get("chip_name") if isinstance(soc, dict) else None
    # Share of time in use (0.8 and later), else the older figure, which counts a slow clock as less.
    busy = number(said, "gpu_active_ratio")
    busy = number(said, "gpu_usage", 1) if busy is None else busy
    total, used = number(said, "memory", "ram_total"), number(said, "memory", "ram_usage")
    return Gpu(
        index=0,
        name=f"{chip} GPU" if chip else "Apple GPU",
        vendor="apple",
        # 0 is macmon's word for a chip whose sensors it does not know.
        celsius=judged(number(said, "temp", "gpu_temp_avg") or None, "macmon gives no card temperature"),
        margin_celsius=Reading.unknown("macOS does not tell at which temperature the card slows down"),
        power_watts=_reading(number(said, "gpu_power"), "power"),
        busy_ratio=_reading(None if busy is None else min(max(busy, 0.0), 1.0), "use"),
        others_ratio=Reading.unknown("macmon does not tell whose programs use the card"),
        memory_total_bytes=None if total is None else int(total),
        memory_used_bytes=None if used is None else int(used),
    )


def _reading(value: float | None, what: str) -> Reading:
    return Reading.unknown(f"macmon gives no {what} of the card") if value is None else Reading(value)
