"""NVIDIA's cards through NVML (nvidia-ml-py). Each value is asked for by itself: one refusal leaves one unknown."""

import contextlib
import importlib
import time
from collections.abc import Callable
from typing import Any

from node_agent.collectors.asking import Unanswered
from node_agent.collectors.base import NoData
from node_agent.collectors.gpus_programs import is_model_server
from node_agent.collectors.temperatures import believable_limit, judged
from node_agent.report import Gpu, Reading, ThrottleReason

# nvmlClocksEventReasons: slowed by software or hardware for heat; by the power limit or the power supply. 0x8 is not
# among them: it is any of heat, power and an outside signal.
_THERMAL, _POWER = 0x20 | 0x40, 0x4 | 0x80
_SENSOR_OF_THE_CHIP = 0
_THRESHOLD_SLOWDOWN = 1
# NVML keeps a few seconds of samples by program; older ones are of programs that may have ended.
_SAMPLES_SECONDS = 2.0
# Use above which a driver that names no program is not believed to mean "nobody".
_IDLE_RATIO = 0.1

_TEMPERATURE = ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature")
_REASONS = ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")


class _Refused(Exception):
    """NVML did not give one value; in its own words."""


class NvidiaCards:
    """Starts NVML once and keeps it; starts it anew after it failed as a whole (a driver that was replaced)."""

    def __init__(
        self,
        load: Callable[[], Any] = lambda: importlib.import_module("pynvml"),
        is_ours: Callable[[int], bool | None] = is_model_server,
        unix_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._load = load
        self._is_ours = is_ours
        self._unix_seconds = unix_seconds
        self._nvml: Any = None

    def collect(self) -> list[Gpu]:
        """The cards now, in NVML's order.

        Raises:
            NoData: No NVML here, or no card.
            Unanswered: NVML is here and fails.
        """
        nvml = self._started()
        try:
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self._nvml = None
            with contextlib.suppress(nvml.NVMLError):
                nvml.nvmlShutdown()
            raise Unanswered(f"NVIDIA: {error}") from error
        if count == 0:
            raise NoData("NVIDIA: NVML counts no card")
        return [self._card(nvml, index) for index in range(count)]

    def _started(self) -> Any:
        if self._nvml is None:
            try:
                nvml = self._load()
            except ImportError as error:
                raise NoData("NVIDIA: nvidia-ml-py is not installed") from error
            try:
                nvml.nvmlInit()
            except nvml.NVMLError as error:
                if error.value in (nvml.NVML_ERROR_LIBRARY_NOT_FOUND, nvml.NVML_ERROR_DRIVER_NOT_LOADED):
                    raise NoData(f"NVIDIA: {error}") from error
                raise Unanswered(f"NVIDIA: {error}") from error
            self._nvml = nvml
        return self._nvml

    def _card(self, nvml: Any, index: int) -> Gpu:
        try:
            handle = _ask(nvml, ("nvmlDeviceGetHandleByIndex",), index)
        except _Refused as refused:
            gone = Reading.unknown(str(refused))
            return Gpu(index, f"NVIDIA card {index}", "nvidia", gone, gone, gone, gone, gone)
        celsius = _celsius(nvml, handle)
        busy = _reading(lambda: _ask(nvml, ("nvmlDeviceGetUtilizationRates",), handle).gpu / 100)
        total, used = _memory(nvml, handle)
        return Gpu(
            index=index,
            name=_name(nvml, handle, index),
            vendor="nvidia",
            celsius=celsius,
            margin_celsius=_margin(nvml, handle, celsius),
            power_watts=_reading(lambda: _ask(nvml, ("nvmlDeviceGetPowerUsage",), handle) / 1000),
            busy_ratio=busy,
            others_ratio=self._others(nvml, handle, busy),
            memory_total_bytes=total,
            memory_used_bytes=used,
            throttled=_throttled(nvml, handle),
        )

    def _others(self, nvml: Any, handle: Any, busy: Reading) -> Reading:
        """Share of the card's time that programs other than model servers use."""
        since = int((self._unix_seconds() - _SAMPLES_SECONDS) * 1e6)
        try:
            samples = nvml.nvmlDeviceGetProcessUtilization(handle, since)
        except nvml.NVMLError as error:
            if error.value != nvml.NVML_ERROR_NOT_FOUND:
                return Reading.unknown(str(error))
            if busy.value is not None and busy.value > _IDLE_RATIO:
                return Reading.unknown("the card is in use, but NVML names no program")
            return Reading(0.0)
        # The newest sample of each program; above 100 are leftovers of programs that ended.
        newest = {sample.pid: sample for sample in sorted(samples, key=lambda sample: sample.timeStamp)}
        used = {pid: sample.smUtil for pid, sample in newest.items() if 0 < sample.smUtil <= 100}
        ours = {pid: self._is_ours(pid) for pid in used}
        if None in ours.values():
            return Reading.unknown("a program that uses the card cannot be seen from here")
        return Reading(min(sum(percent for pid, percent in used.items() if not ours[pid]) / 100, 1.0))


def _ask(nvml: Any, names: tuple[str, ...], *arguments: Any) -> Any:
    """The answer of the first of these functions that this driver has; they are the newer and the older name."""
    why = ""
    for name in names:
        function = getattr(nvml, name, None)
        if function is None:
            why = why or f"nvidia-ml-py has no {name}"
            continue
        try:
            return function(*arguments)
        except nvml.NVMLError as error:
            why = str(error)
            if error.value not in (nvml.NVML_ERROR_FUNCTION_NOT_FOUND, nvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH):
                break
    raise _Refused(why)


def _reading(read: Callable[[], float]) -> Reading:
    try:
        return Reading(float(read()))
    except _Refused as refused:
        return Reading.unknown(str(refused))


def _celsius(nvml: Any, handle: Any) -> Reading:
    try:
        return judged(float(_ask(nvml, _TEMPERATURE, handle, _SENSOR_OF_THE_CHIP)))
    except _Refused as refused:
        return Reading.unknown(str(refused))


def _margin(nvml: Any, handle: Any, celsius: Reading) -> Reading:
    """Degrees to the nearest slowdown as the card says, else to the threshold that older cards tell."""
    told = _reading(lambda: _ask(nvml, ("nvmlDeviceGetMarginTemperature",), handle))
    if told.value is not None or celsius.value is None:
        return told
    threshold = _reading(lambda: _ask(nvml, ("nvmlDeviceGetTemperatureThreshold",), handle, _THRESHOLD_SLOWDOWN))
    limit = believable_limit(threshold.value)
    return told if limit is None else Reading(limit - celsius.value)


def _memory(nvml: Any, handle: Any) -> tuple[int | None, int | None]:
    try:
        memory = _ask(nvml, ("nvmlDeviceGetMemoryInfo",), handle)
    except _Refused:
        return None, None
    return int(memory.total), int(memory.used)


def _name(nvml: Any, handle: Any, index: int) -> str:
    try:
        name = _ask(nvml, ("nvmlDeviceGetName",), handle)
    except _Refused:
        return f"NVIDIA card {index}"
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _throttled(nvml: Any, handle: Any) -> tuple[ThrottleReason, ...]:
    try:
        reasons = _ask(nvml, _REASONS, handle)
    except _Refused:
        return ()
    named: tuple[tuple[int, ThrottleReason], ...] = ((_POWER, "power"), (_THERMAL, "thermal"))
    return tuple(name for bits, name in named if reasons & bits)
