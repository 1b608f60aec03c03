"""What a machine says of itself: frozen values and their JSON form. No imports outside the standard library.

How the values are measured is in the collectors. Unknown is said with a reason; it is never 0. A whole section that
no collector could fill is None, and `collectors` says why. Fields are only ever added within one schema version.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

SCHEMA_VERSION = 1

# no_data: the machine has no such thing, or does not tell. timeout: the section is the one measured before, if any.
Outcome = Literal["ok", "no_data", "error", "timeout"]
GpuVendor = Literal["nvidia", "amd", "apple", "intel", "unknown"]
# Why a processor or card runs slower than it could, now (never "since boot").
ThrottleReason = Literal["thermal", "power", "under_voltage", "frequency_capped", "soft_limit"]
ServerKind = Literal["lm_studio", "ollama", "vllm", "llama_server", "llama_cpp_python", "unknown"]


@dataclass(frozen=True)
class Reading:
    """One measured value, or why there is none."""

    value: float | None = None
    why_unknown: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.why_unknown):
            raise ValueError("a reading has either a value or a reason why it is unknown")

    @classmethod
    def unknown(cls, why: str) -> Self:
        return cls(None, why)


@dataclass(frozen=True)
class Sign:
    """Yes or no, or why nobody knows. Never which program, window or person."""

    value: bool | None = None
    why_unknown: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.why_unknown):
            raise ValueError("a sign has either a value or a reason why it is unknown")

    @classmethod
    def unknown(cls, why: str) -> Self:
        return cls(None, why)


@dataclass(frozen=True)
class Host:
    """The machine and its load.

    `board` is a single-board computer's own name ("Raspberry Pi 5 Model B Rev 1.0"). `load_per_core` is the 1-minute
    load average divided by the cores; `cpu_ratio` the share of all cores' time in use since the report before, 0 to
    1; `disk_free_bytes` of the disk that holds the agent's working directory.
    """

    system: str
    release: str
    architecture: str
    board: str | None
    cores: int
    memory_total_bytes: int
    memory_available_bytes: int
    disk_free_bytes: int
    cpu_ratio: Reading
    load_per_core: Reading


@dataclass(frozen=True)
class Sensor:
    """One temperature sensor, as its driver names it; `limit_celsius` where the driver tells one."""

    chip: str
    label: str
    celsius: Reading
    limit_celsius: float | None = None


@dataclass(frozen=True)
class Thermal:
    """Heat of the processor: its hottest believable sensor, all sensors, and why it is slowed down now."""

    cpu_celsius: Reading
    sensors: tuple[Sensor, ...] = ()
    throttled: tuple[ThrottleReason, ...] = ()


@dataclass(frozen=True)
class Gpu:
    """One graphics card.

    `margin_celsius` is the distance to the temperature at which it slows down. `others_ratio` is the share of its
    time that programs other than model servers use, 0 to 1.
    """

    index: int
    name: str
    vendor: GpuVendor
    celsius: Reading
    margin_celsius: Reading
    power_watts: Reading
    busy_ratio: Reading
    others_ratio: Reading
    memory_total_bytes: int | None = None
    memory_used_bytes: int | None = None
    throttled: tuple[ThrottleReason, ...] = ()


@dataclass(frozen=True)
class Activity:
    """Whether a person uses the machine. `idle_seconds` since the last key or mouse movement."""

    gaming: Sign
    full_screen: Sign
    microphone: Sign
    camera: Sign
    idle_seconds: Reading


@dataclass(frozen=True)
class ServedModel:
    """A model of a server; None is not told."""

    name: str
    is_loaded: bool | None = None
    context_window_tokens: int | None = None


@dataclass(frozen=True)
class ServedEndpoint:
    """A model server on this machine. `slots_busy` and `queue_depth` only where the server tells."""

    url: str
    kind: ServerKind
    models: tuple[ServedModel, ...]
    slots: int | None = None
    slots_busy: int | None = None
    queue_depth: int | None = None


@dataclass(frozen=True)
class CollectorRun:
    """How the newest attempt of one collector went. `age_seconds` is how old the section it filled is."""

    name: str
    outcome: Outcome
    reason: str
    took_ms: float
    age_seconds: float


@dataclass(frozen=True)
class NodeReport:
    """One machine at one moment.

    `boot_id` changes when the agent starts anew, `sequence` counts its reports from 1: a report that is not newer
    by these was seen before, whatever the machine's clock says.
    """

    node: str
    boot_id: str
    sequence: int
    reported_at_unix_seconds: float
    agent_version: str
    host: Host | None = None
    thermal: Thermal | None = None
    gpus: tuple[Gpu, ...] | None = None
    activity: Activity | None = None
    endpoints: tuple[ServedEndpoint, ...] | None = None
    collectors: tuple[CollectorRun, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def to_json_object(self) -> dict[str, Any]:
        return asdict(self)
