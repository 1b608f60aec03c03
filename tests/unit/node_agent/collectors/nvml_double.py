"""A double of the module pynvml (nvidia-ml-py 13.615): the names, units and errors that its source documents.

It is no card: each function answers what the test gave, or raises NVMLError with the code the test gave.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

NOT_SUPPORTED, NOT_FOUND, DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND = 3, 6, 9, 12
FUNCTION_NOT_FOUND, GPU_IS_LOST, VERSION_MISMATCH = 13, 15, 18

_WORDS = {
    1: "Uninitialized",
    NOT_SUPPORTED: "Not Supported",
    NOT_FOUND: "Not Found",
    DRIVER_NOT_LOADED: "Driver Not Loaded",
    LIBRARY_NOT_FOUND: "NVML Shared Library Not Found",
    FUNCTION_NOT_FOUND: "Function Not Found",
    GPU_IS_LOST: "GPU is lost",
    VERSION_MISMATCH: "RM has detected an NVML/RM version mismatch.",
}


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return _WORDS[self.value]


class Code(int):
    """An answer that is an error."""


def sample(pid: int, sm_util: int, time_stamp: int = 1) -> SimpleNamespace:
    """What nvmlDeviceGetProcessUtilization lists for one program, with the share of the processors in percent."""
    return SimpleNamespace(pid=pid, timeStamp=time_stamp, smUtil=sm_util, memUtil=0, encUtil=0, decUtil=0)


# A card that answers everything. Its margin is told, its temperature in degrees, its power in milliwatts.
BUSY_CARD: Mapping[str, Any] = {
    "nvmlDeviceGetName": "NVIDIA GeForce RTX 4050 Laptop GPU",
    "nvmlDeviceGetTemperatureV": 71,
    "nvmlDeviceGetTemperature": 71,
    "nvmlDeviceGetMarginTemperature": 16,
    "nvmlDeviceGetTemperatureThreshold": 87,
    "nvmlDeviceGetPowerUsage": 48_250,
    "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=93, memory=41),
    "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=6_441_402_368, free=1_000, used=6_441_401_368),
    "nvmlDeviceGetCurrentClocksEventReasons": 0x4,
    "nvmlDeviceGetCurrentClocksThrottleReasons": 0x4,
    "nvmlDeviceGetProcessUtilization": [sample(100, 90)],
}


class NvmlDouble:
    """Stands where the module stands. `cards` holds, for each card, what its functions answer."""

    NVMLError = NVMLError
    NVML_ERROR_NOT_FOUND = NOT_FOUND
    NVML_ERROR_DRIVER_NOT_LOADED = DRIVER_NOT_LOADED
    NVML_ERROR_LIBRARY_NOT_FOUND = LIBRARY_NOT_FOUND
    NVML_ERROR_FUNCTION_NOT_FOUND = FUNCTION_NOT_FOUND
    NVML_ERROR_ARGUMENT_VERSION_MISMATCH = 25

    def __init__(self, *cards: Mapping[str, Any], fails_to_start: int | None = None) -> None:
        self.cards = list(cards)
        self.fails_to_start = fails_to_start
        self.fails_to_count: int | None = None
        self.starts = 0
        self.asked_since: list[int] = []

    def nvmlInit(self) -> None:
        if self.fails_to_start is not None:
            raise NVMLError(self.fails_to_start)
        self.starts += 1

    def nvmlShutdown(self) -> None:
        self.starts -= 1

    def nvmlDeviceGetCount(self) -> int:
        if self.starts < 1:
            raise NVMLError(1)
        if self.fails_to_count is not None:
            raise NVMLError(self.fails_to_count)
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        self._answer(index, "nvmlDeviceGetHandleByIndex", index)
        return index

    def nvmlDeviceGetProcessUtilization(self, handle: int, last_seen_microseconds: int) -> list[SimpleNamespace]:
        self.asked_since.append(last_seen_microseconds)
        return self._answer(handle, "nvmlDeviceGetProcessUtilization")

    def __getattr__(self, name: str) -> Any:
        if not any(name in card for card in self.cards):
            raise AttributeError(name)
        return lambda handle, *_: self._answer(handle, name)

    def _answer(self, handle: int, name: str, otherwise: Any = None) -> Any:
        answer = self.cards[handle].get(name, otherwise)
        if isinstance(answer, Code):
            raise NVMLError(answer)
        return answer
