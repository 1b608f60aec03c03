"""What LibreHardwareMonitor and macmon answer, in their formats, with invented values.

LibreHardwareMonitor: a tree of nodes (its HttpServer.cs, 0.9.5 and 0.9.6). macmon: its readme, 0.6 and 0.8.
"""

import json
from typing import Any

from hypothesis import strategies as st

# Values that no format foresees but JSON allows.
_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.just(10**400) | st.text(max_size=8)


def libre_sensor(identifier: str, text: str, value: str, raw: str | float | None = None) -> dict[str, Any]:
    """A node of one sensor. `raw` is the value in Celsius that 0.9.5 and later add; None leaves it out."""
    kind = "Power" if "/power/" in identifier else "Temperature"
    node: dict[str, Any] = {"id": 9, "Text": text, "Min": value, "Value": value, "Max": value}
    node |= {"SensorId": identifier, "Type": kind, "ImageURL": "images/transparent.png", "Children": []}
    return node if raw is None else node | {"RawMin": raw, "RawValue": raw, "RawMax": raw}


def libre_tree(*hardware: tuple[str, str, list[dict[str, Any]]]) -> str:
    """The whole document: for each part of the machine its identifier, its name and its sensors."""
    empty = {"Min": "", "Value": "", "Max": ""}
    parts = [
        {
            "id": 2,
            "Text": name,
            **empty,
            "HardwareId": identifier,
            "ImageURL": "images_icon/cpu.png",
            "Children": [{"id": 3, "Text": "Temperatures", **empty, "ImageURL": "x.png", "Children": sensors}],
        }
        for identifier, name, sensors in hardware
    ]
    computer = {"id": 1, "Text": "DESKTOP", **empty, "ImageURL": "images_icon/computer.png", "Children": parts}
    columns = {"Min": "Min", "Value": "Value", "Max": "Max"}
    return json.dumps({"id": 0, "Text": "Sensor", **columns, "ImageURL": "", "Children": [computer]})


MACMON_08: dict[str, Any] = {
    "timestamp": "2026-08-05T09:11:02.427569+00:00",
    "temp": {"cpu_temp_avg": 61.25, "gpu_temp_avg": 54.5},
    "memory": {"ram_total": 25769803776, "ram_usage": 20985479168, "swap_total": 0, "swap_usage": 0},
    "fans": [{"name": "fan0", "rpm": 999, "max_rpm": 4900}],
    "cpu_scaled_ratio": 0.036,
    "cpu_active_ratio": 0.092,
    "gpu_freq_mhz": 461,
    "gpu_scaled_ratio": 0.25,
    "gpu_active_ratio": 0.5,
    "gpu_usage": [461, 0.25],
    "cpu_power": 2.5,
    "gpu_power": 7.75,
    "sys_power": 15.5,
    "soc": {"mac_model": "Mac15,6", "chip_name": "Apple M3 Pro", "memory_gb": 24, "gpu_cores": 18},
}

MACMON_06: dict[str, Any] = {
    "timestamp": "2025-02-24T20:38:15.427569+00:00",
    "temp": {"cpu_temp_avg": 43.75, "gpu_temp_avg": 0.0},
    "memory": {"ram_total": 8589934592, "ram_usage": 4294967296, "swap_total": 0, "swap_usage": 0},
    "ecpu_usage": [1181, 0.08],
    "pcpu_usage": [1974, 0.01],
    "gpu_usage": [461, 0.25],
    "cpu_power": 0.2,
    "gpu_power": 0.5,
}


def documents(*names: str) -> st.SearchStrategy[Any]:
    """Any JSON document, of objects whose members have these names."""
    member = st.sampled_from(names)
    return st.recursive(_VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(member, inner, max_size=4))
