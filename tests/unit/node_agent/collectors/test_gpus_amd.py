"""Promises of AMD's cards: trees of files as the driver amdgpu shows them."""

from pathlib import Path

import pytest

from node_agent.collectors.base import NoData
from node_agent.collectors.gpus_amd import AmdCards
from node_agent.report import Gpu, Reading
from tests.unit.node_agent.collectors.sysfs_tree import write_tree

# A card of the RX 6000 series on Linux 6.1.
FILES: dict[str, str | int] = {
    "vendor": "0x1002",
    "device": "0x73df",
    "gpu_busy_percent": 97,
    "mem_info_vram_total": 12_868_124_672,
    "mem_info_vram_used": 9_663_676_416,
    "hwmon/hwmon4/name": "amdgpu",
    "hwmon/hwmon4/temp1_label": "edge",
    "hwmon/hwmon4/temp1_input": 64_000,
    "hwmon/hwmon4/temp1_crit": 100_000,
    "hwmon/hwmon4/temp2_label": "junction",
    "hwmon/hwmon4/temp2_input": 89_000,
    "hwmon/hwmon4/temp2_crit": 110_000,
    "hwmon/hwmon4/power1_average": 186_000_000,
}


def card(root: Path, *without: str, **changes: str | int) -> Gpu:
    files = {name: text for name, text in {**FILES, **changes}.items() if name.rpartition("/")[2] not in without}
    write_tree(root, {f"class/drm/card1/device/{name}": text for name, text in files.items()})
    (found,) = AmdCards(root).collect()
    return found


def test_a_card_is_reported_in_the_units_of_the_report(tmp_path: Path) -> None:
    found = card(tmp_path)
    assert (found.name, found.vendor) == ("AMD GPU 0x73df", "amd")
    assert (found.celsius, found.power_watts, found.busy_ratio) == (Reading(64.0), Reading(186.0), Reading(0.97))
    assert (found.memory_total_bytes, found.memory_used_bytes) == (12_868_124_672, 9_663_676_416)
    assert found.others_ratio.why_unknown


def test_the_margin_is_that_of_the_sensor_nearest_to_its_limit(tmp_path: Path) -> None:
    assert card(tmp_path).margin_celsius == Reading(21.0)


def test_a_server_card_has_the_name_on_its_label(tmp_path: Path) -> None:
    assert card(tmp_path, product_name="Instinct MI210").name == "Instinct MI210"


def test_a_newer_card_tells_the_power_of_this_moment(tmp_path: Path) -> None:
    newer = card(tmp_path, "power1_average", **{"hwmon/hwmon4/power1_input": 31_500_000})
    assert newer.power_watts == Reading(31.5)


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("temp1_input", "celsius"),
        ("power1_average", "power_watts"),
        ("gpu_busy_percent", "busy_ratio"),
    ],
)
def test_a_value_the_driver_does_not_give_is_unknown_and_leaves_the_others(file, field, tmp_path: Path) -> None:
    found = card(tmp_path, file)
    assert getattr(found, field).why_unknown
    assert all(getattr(found, name).value for name in {"celsius", "power_watts", "busy_ratio"} - {field})


def test_a_card_without_sensors_and_memory_says_so(tmp_path: Path) -> None:
    found = card(tmp_path, *(name.rpartition("/")[2] for name in FILES if name.startswith(("hwmon", "mem"))))
    assert found.celsius.why_unknown
    assert found.margin_celsius == Reading.unknown("amdgpu gives no sensor with a limit")
    assert (found.memory_total_bytes, found.memory_used_bytes) == (None, None)


@pytest.mark.parametrize("said", [0, 511_000, "garbage"])
def test_a_temperature_nobody_can_believe_is_unknown(said: str | int, tmp_path: Path) -> None:
    found = card(tmp_path, **{"hwmon/hwmon4/temp1_input": said})
    assert found.celsius.value is None
    assert found.margin_celsius == Reading(21.0)


def test_sockets_and_cards_of_others_are_none_and_the_order_is_by_number(tmp_path: Path) -> None:
    with pytest.raises(NoData, match="no card"):
        AmdCards(tmp_path).collect()
    cards = {
        "class/drm/card0/device/vendor": "0x8086",
        "class/drm/card1-HDMI-A-1/device/vendor": "0x1002",
        "class/drm/renderD128/device/vendor": "0x1002",
    }
    with pytest.raises(NoData, match="no card"):
        AmdCards(write_tree(tmp_path, cards)).collect()
    for number in (10, 2):
        write_tree(tmp_path, {f"class/drm/card{number}/device/{name}": text for name, text in FILES.items()})
    write_tree(tmp_path, {"class/drm/card10/device/device": "0x744c"})
    assert [found.name for found in AmdCards(tmp_path).collect()] == ["AMD GPU 0x73df", "AMD GPU 0x744c"]
