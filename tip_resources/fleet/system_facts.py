"""What machine this is: processor, memory, graphics cards and their memory. For the record beside a measurement.

Each maker's tool has its own parser, which takes its output as text; a tool that is not there, or says something
unexpected, leaves the fact unknown with the reason. Load and temperature live in node_agent.
"""

import json
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from node_agent.collectors.host import HostCollector

_TOOL_SECONDS = 10.0
_MIB = 1024**2
_UNITS = {"KB": 1024, "MB": _MIB, "GB": 1024**3}

# https://docs.nvidia.com/deploy/nvidia-smi/ : one line per card, memory in MiB
NVIDIA_SMI = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
# https://rocm.docs.amd.com/projects/rocm_smi_lib : an object per card, memory in bytes as text
ROCM_SMI = ("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json")
SYSTEM_PROFILER = ("system_profiler", "SPDisplaysDataType", "-json")


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One graphics card; `memory_bytes` None is not known, and `note` says why where a reason is known."""

    name: str
    memory_bytes: int | None = None
    note: str = ""


class SystemFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The machine tip runs on. `gpus` None means that nobody could say, for `gpus_unknown`'s reason."""

    system: str
    architecture: str
    processor: str | None
    cores: int
    memory_bytes: int
    gpus: tuple[Gpu, ...] | None
    gpus_unknown: str = ""

    def lines(self) -> list[str]:
        """The facts as a person reads them."""
        cpu = self.processor or "processor not known"
        memory = f"{self.memory_bytes / 1024**3:.1f} GiB memory"
        if self.gpus is None:
            cards = [f"GPU: not known ({self.gpus_unknown})"]
        else:
            cards = [f"GPU: {_card(gpu)}" for gpu in self.gpus] or ["GPU: none found"]
        return [f"{self.system}, {self.architecture}", f"{cpu}, {self.cores} cores, {memory}", *cards]


class ToolFailed(Exception):
    """A maker's tool is absent or said nothing usable; the message says which."""


def system_facts() -> SystemFacts:
    """This machine. Runs the tools of the makers that are there; takes up to a few seconds."""
    host = HostCollector().collect()
    gpus, unknown = find_gpus(run_tool)
    return SystemFacts(
        system=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        processor=_processor(),
        cores=host.cores,
        memory_bytes=host.memory_total_bytes,
        gpus=gpus,
        gpus_unknown=unknown,
    )


def find_gpus(run: Callable[[Sequence[str]], str]) -> tuple[tuple[Gpu, ...] | None, str]:
    """The cards that the tools know of; None and the reasons when no tool answered.

    Args:
        run: Runs a command and gives what it printed; raises ToolFailed.
    """
    found: list[Gpu] = []
    reasons: list[str] = []
    tools = ((NVIDIA_SMI, parse_nvidia_smi), (ROCM_SMI, parse_rocm_smi), (SYSTEM_PROFILER, parse_system_profiler))
    for command, parse in tools:
        try:
            found += parse(run(command))
        except ToolFailed as failure:
            reasons.append(str(failure))
    if len(reasons) == len(tools):
        return None, "; ".join(reasons)
    return tuple(found), ""


def run_tool(command: Sequence[str]) -> str:
    """What a tool prints.

    Raises:
        ToolFailed: It is not installed, fails, or takes longer than 10 s.
    """
    program = shutil.which(command[0])
    if program is None:
        raise ToolFailed(f"{command[0]} is not installed")
    try:
        done = subprocess.run([program, *command[1:]], capture_output=True, timeout=_TOOL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolFailed(f"{command[0]} failed: {type(error).__name__}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise ToolFailed(f"{command[0]} failed: {said[0] if said else f'exit code {done.returncode}'}")
    return done.stdout.decode("utf-8", "replace")


def parse_nvidia_smi(text: str) -> list[Gpu]:
    """Cards from `NVIDIA_SMI`. Memory shared with the processor (GB10, Jetson) is printed as [N/A].

    Raises:
        ToolFailed: The text is something else.
    """
    cards = []
    for line in filter(str.strip, text.splitlines()):
        name, comma, memory = line.rpartition(",")
        if not comma:
            raise ToolFailed(f"nvidia-smi said: {line.strip()}")
        size = memory.strip()
        known = int(size) * _MIB if size.isdecimal() else None
        cards.append(Gpu(name=name.strip(), memory_bytes=known, note="" if known else f"nvidia-smi says {size}"))
    return cards


def parse_rocm_smi(text: str) -> list[Gpu]:
    """Cards from `ROCM_SMI`; the name's key was "Card series" in ROCm 5 and is "Card Series" since ROCm 6.

    Raises:
        ToolFailed: The text is something else.
    """
    cards = []
    for key, fields in _object(text, "rocm-smi").items():
        if not key.startswith("card") or not isinstance(fields, dict):
            continue  # "system" holds the driver's version
        known = {name.casefold(): str(value) for name, value in fields.items()}
        size = known.get("vram total memory (b)", "")
        cards.append(
            Gpu(
                name=known.get("card series") or known.get("card model") or key,
                memory_bytes=int(size) if size.isdecimal() else None,
                note="" if size.isdecimal() else "rocm-smi gives no memory size",
            )
        )
    return cards


def parse_system_profiler(text: str) -> list[Gpu]:
    """Cards from `SYSTEM_PROFILER`. Apple's own have no memory of their own: they share the machine's.

    Raises:
        ToolFailed: The text is something else.
    """
    entries = _object(text, "system_profiler").get("SPDisplaysDataType")
    if not isinstance(entries, list):
        raise ToolFailed("system_profiler said nothing of displays")
    cards = []
    for entry in (entry for entry in entries if isinstance(entry, dict)):
        name = str(entry.get("sppci_model") or entry.get("_name") or "unnamed")
        size = str(entry.get("spdisplays_vram") or entry.get("spdisplays_vram_shared") or "")
        match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(KB|MB|GB)", size.strip())
        cores = f"{entry['sppci_cores']} cores, " if entry.get("sppci_cores") else ""
        note = "" if match else f"{cores}shares the machine's memory" if "apple" in name.lower() else "memory not said"
        memory = int(float(match[1]) * _UNITS[match[2]]) if match else None
        cards.append(Gpu(name=name, memory_bytes=memory, note=note))
    return cards


def parse_cpuinfo(text: str) -> str | None:
    """The processor's name from Linux' /proc/cpuinfo; Arm boards name the board instead, under Model."""
    fields = dict(re.findall(r"^(model name|Model|Hardware)\s*:\s*(.+)$", text, re.MULTILINE))
    return fields.get("model name") or fields.get("Model") or fields.get("Hardware")


def _processor() -> str | None:
    if platform.system() == "Linux":
        cpuinfo = Path("/proc/cpuinfo")
        return parse_cpuinfo(cpuinfo.read_text(encoding="utf-8", errors="replace")) if cpuinfo.exists() else None
    if platform.system() == "Darwin":
        try:
            return run_tool(("sysctl", "-n", "machdep.cpu.brand_string")).strip() or None
        except ToolFailed:
            return None
    return platform.processor() or None


def _object(text: str, tool: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ToolFailed(f"{tool} printed no JSON") from error
    if not isinstance(value, dict):
        raise ToolFailed(f"{tool} printed no JSON object")
    return value


def _card(gpu: Gpu) -> str:
    memory = f", {gpu.memory_bytes / 1024**3:.1f} GiB" if gpu.memory_bytes is not None else ""
    return f"{gpu.name}{memory}{f' ({gpu.note})' if gpu.note else ''}"
