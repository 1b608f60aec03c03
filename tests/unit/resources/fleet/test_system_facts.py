"""What machine this is: each tool's format is read, and what is not known is not made up.

The texts have the tools' own form; those of rocm-smi and system_profiler are cut down to the fields that matter.
"""

import json
import sys
from collections.abc import Sequence

import pytest

from tip_resources.fleet.system_facts import (
    NVIDIA_SMI,
    Gpu,
    SystemFacts,
    ToolFailed,
    find_gpus,
    parse_cpuinfo,
    parse_nvidia_smi,
    parse_rocm_smi,
    parse_system_profiler,
    run_tool,
    system_facts,
)

MIB = 1024**2


def test_nvidia_cards_come_with_their_memory() -> None:
    found = parse_nvidia_smi("NVIDIA GeForce RTX 4090, 24564\nTesla T4, 15360\n")
    assert found == [
        Gpu(name="NVIDIA GeForce RTX 4090", memory_bytes=24564 * MIB),
        Gpu(name="Tesla T4", memory_bytes=15360 * MIB),
    ]


def test_memory_shared_with_the_processor_is_unknown_and_not_zero() -> None:
    assert parse_nvidia_smi("NVIDIA GB10, [N/A]\n") == [Gpu(name="NVIDIA GB10", note="nvidia-smi says [N/A]")]


@pytest.mark.parametrize("key", ["Card series", "Card Series"])
def test_rocm_cards_come_with_their_memory_whatever_the_release_calls_them(key: str) -> None:
    text = json.dumps(
        {
            "card0": {
                key: "Radeon RX 7900 XTX",
                "VRAM Total Memory (B)": "25753026560",
                "VRAM Total Used Memory (B)": "27906048",
            },
            "system": {"Driver version": "6.7.0"},
        }
    )
    assert parse_rocm_smi(text) == [Gpu(name="Radeon RX 7900 XTX", memory_bytes=25753026560)]


def test_apple_cards_share_the_memory_of_the_machine() -> None:
    text = json.dumps(
        {"SPDisplaysDataType": [{"_name": "Apple M2 Max", "sppci_model": "Apple M2 Max", "sppci_cores": "30"}]}
    )
    assert parse_system_profiler(text) == [Gpu(name="Apple M2 Max", note="30 cores, shares the machine's memory")]


def test_an_intel_mac_says_its_cards_memory() -> None:
    text = json.dumps({"SPDisplaysDataType": [{"sppci_model": "Radeon Pro 5500M", "spdisplays_vram": "8 GB"}]})
    assert parse_system_profiler(text) == [Gpu(name="Radeon Pro 5500M", memory_bytes=8 * 1024**3)]


@pytest.mark.parametrize("parse", [parse_nvidia_smi, parse_rocm_smi, parse_system_profiler])
def test_other_words_are_a_failed_tool(parse) -> None:
    with pytest.raises(ToolFailed):
        parse("NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.")


def test_the_processor_is_read_from_pcs_and_from_boards() -> None:
    assert parse_cpuinfo("processor\t: 0\nmodel name\t: AMD EPYC 7763\n") == "AMD EPYC 7763"
    assert parse_cpuinfo("processor\t: 0\nBogoMIPS\t: 108.00\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n") == (
        "Raspberry Pi 5 Model B Rev 1.0"
    )
    assert parse_cpuinfo("nothing") is None


def test_one_tool_that_answers_is_enough() -> None:
    def run(command: Sequence[str]) -> str:
        if command == NVIDIA_SMI:
            return "Tesla T4, 15360\n"
        raise ToolFailed(f"{command[0]} is not installed")

    assert find_gpus(run) == ((Gpu(name="Tesla T4", memory_bytes=15360 * MIB),), "")


def test_without_any_tool_the_cards_are_unknown_with_the_reason() -> None:
    def run(command: Sequence[str]) -> str:
        raise ToolFailed(f"{command[0]} is not installed")

    cards, reason = find_gpus(run)
    assert cards is None and "nvidia-smi is not installed" in reason
    facts = SystemFacts(
        system="Linux",
        architecture="x86_64",
        processor=None,
        cores=4,
        memory_bytes=2**33,
        gpus=cards,
        gpus_unknown=reason,
    )
    assert facts.lines()[1] == "processor not known, 4 cores, 8.0 GiB memory"
    assert facts.lines()[2].startswith("GPU: not known (nvidia-smi")


def test_a_tool_that_is_absent_or_fails_says_so() -> None:
    with pytest.raises(ToolFailed, match="is not installed"):
        run_tool(("no-such-tool-anywhere",))
    with pytest.raises(ToolFailed, match="no driver"):
        run_tool((sys.executable, "-c", "import sys; sys.exit('no driver')"))


def test_this_machine_is_described() -> None:
    facts = system_facts()
    assert facts.cores >= 1 and facts.memory_bytes > 2**28 and facts.system and facts.architecture
    assert (facts.gpus is None) == bool(facts.gpus_unknown)
