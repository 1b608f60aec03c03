"""Heat of the processor on Windows, from the web server of LibreHardwareMonitor.

Windows itself tells nobody but an administrator, and on many boards a constant. Cards are in gpus; the temperatures
of other parts are left out, because LibreHardwareMonitor lists their limits as if they were temperatures.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from node_agent.collectors.asking import Unanswered, as_number, get_json
from node_agent.collectors.base import NoData
from node_agent.collectors.temperatures import Measured
from node_agent.report import ThrottleReason

_URL = "http://127.0.0.1:8085/data.json"
_TIMEOUT_SECONDS = 2.0
_INSTALL = "install LibreHardwareMonitor with PawnIO, run it as administrator, start Options > Remote Web Server"
_NO_ACCESS = "LibreHardwareMonitor reports 0, which it does without PawnIO or without administrator rights"
_SENSOR = re.compile(r"/((?:intel|amd)?cpu/\d+)/temperature/\d+")
# Not a temperature but how far the core is from its limit, under the same type.
_DISTANCE = " Distance to TjMax"
# "46.9 °C", "46,9 °C" where Windows writes so, "116.4 °F" where the display is set so. Later versions: a number.
_VALUE = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*°([CF])")


class WindowsHeat:
    """Asks LibreHardwareMonitor, which the owner of the machine runs."""

    def __init__(self, url: str = _URL) -> None:
        self._url = url

    def temperatures(self) -> list[Measured]:
        """The processor's sensors. `limit_celsius` is its highest allowed temperature, where it is told.

        Raises:
            NoData: No LibreHardwareMonitor answers, or it knows no processor.
        """
        try:
            tree = get_json(self._url, _TIMEOUT_SECONDS)
        except Unanswered as error:
            raise NoData(f"{error}; {_INSTALL}") from error
        sensors = processor_sensors(tree)
        if not sensors:
            raise NoData(f"LibreHardwareMonitor lists no temperature of the processor; {_INSTALL}")
        return sensors

    def throttled(self) -> tuple[ThrottleReason, ...]:
        """Nothing: LibreHardwareMonitor does not tell."""
        return ()


def processor_sensors(tree: Any) -> list[Measured]:
    """The processor's temperatures in a document of LibreHardwareMonitor."""
    said = {(chip, label): celsius for chip, label, celsius in _said(tree)}
    return [
        _measured(chip, label, celsius, said.get((chip, label + _DISTANCE)))
        for (chip, label), celsius in said.items()
        if not label.endswith(_DISTANCE)
    ]


def _measured(chip: str, label: str, celsius: float | None, distance: float | None) -> Measured:
    why = "" if celsius else _NO_ACCESS if celsius == 0 else "LibreHardwareMonitor gives no value"
    return Measured(
        chip=chip,
        label=label,
        celsius=celsius or None,
        limit_celsius=celsius + distance if celsius and distance is not None else None,
        is_processor=True,
        why_unknown=why,
    )


def _said(tree: Any) -> Iterator[tuple[str, str, float | None]]:
    """Chip, label and value of each processor temperature in the tree of nodes with `Children`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop(0)
        if not isinstance(node, Mapping):
            continue
        children = node.get("Children")
        waiting[:0] = children if isinstance(children, list) else []
        found = _SENSOR.fullmatch(str(node.get("SensorId", "")))
        if found is not None:
            yield found[1], str(node.get("Text", "")), _celsius(node)


def _celsius(node: Mapping[str, Any]) -> float | None:
    # RawValue is in Celsius whatever the display shows; versions before 0.9.5 have only Value.
    value = node.get("RawValue", node.get("Value"))
    if not isinstance(value, str):
        return as_number(value)
    found = _VALUE.fullmatch(value.strip())
    if found is None:
        return None
    number = float(found[1].replace(",", "."))
    return number if found[2] == "C" else round((number - 32) / 1.8, 2)
