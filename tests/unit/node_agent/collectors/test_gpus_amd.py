"""Promises of AMD's cards: trees of files as the driver amdgpu shows them."""

import struct
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


def test_a_card_that_is_switched_off_is_idle_and_not_woken(tmp_path: Path) -> None:
    found = card(tmp_path, **{"power/runtime_status": "suspended"})
    assert found.celsius == found.power_watts == Reading.unknown("the card is switched off to save power")
    assert found.busy_ratio == found.others_ratio == Reading(0.0)
    assert found.memory_total_bytes == 12_868_124_672
    assert card(tmp_path, **{"power/runtime_status": "active"}).celsius == Reading(64.0)


@pytest.mark.parametrize("said", [0, 511_000, "garbage"])
def test_a_temperature_nobody_can_believe_is_unknown(said: str | int, tmp_path: Path) -> None:
    found = card(tmp_path, **{"hwmon/hwmon4/temp1_input": said})
    assert found.celsius.value is None
    assert found.margin_celsius == Reading(21.0)


# gpu_metrics of a card of its own (1.3) and of one inside a processor (2.2), as the kernel lays them out.
TABLE_13 = struct.Struct("<HBB 10H 2Q 14H I 4H 2I 4H Q 4H Q")
TABLE_22 = struct.Struct("<HBB 14H Q 12H 12H 10H I 4H Q")


def table(layout: struct.Struct, version: tuple[int, int], status: int) -> bytes:
    """A table in which only the header and its last member, the throttle status, are not zero."""
    values = [0] * len(layout.unpack(bytes(layout.size)))
    return layout.pack(layout.size, *version, *values[3:-1], status)


@pytest.mark.parametrize(("layout", "version"), [(TABLE_13, (1, 3)), (TABLE_22, (2, 2))])
@pytest.mark.parametrize(
    ("status", "reasons"),
    [
        (0, ()),
        (1 << 36, ("thermal",)),  # SMU_THROTTLER_TEMP_HOTSPOT_BIT
        (1 << 0, ("power",)),  # SMU_THROTTLER_PPT0_BIT
        (1 << 16 | 1 << 47, ("power", "thermal")),  # SMU_THROTTLER_TDC_GFX_BIT, SMU_THROTTLER_PROCHOT_GFX_BIT
        (1 << 57, ()),  # SMU_THROTTLER_FIT_BIT: neither
        (2**64 - 1, ()),  # the firmware does not tell
    ],
)
def test_throttling_is_read_from_the_table_of_the_driver(layout, version, status, reasons, tmp_path: Path) -> None:
    write_tree(tmp_path, {"class/drm/card1/device/vendor": "0x1002"})
    metrics = tmp_path / "class/drm/card1/device/gpu_metrics"
    metrics.write_bytes(table(layout, version, status))
    assert AmdCards(tmp_path).collect()[0].throttled == reasons


@pytest.mark.parametrize(
    "content", [b"", b"\x78", table(TABLE_13, (1, 1), 1 << 36), table(TABLE_13, (1, 3), 1 << 36)[:-1]]
)
def test_a_table_of_another_version_or_half_a_table_tells_nothing(content: bytes, tmp_path: Path) -> None:
    write_tree(tmp_path, {"class/drm/card1/device/vendor": "0x1002"})
    (tmp_path / "class/drm/card1/device/gpu_metrics").write_bytes(content)
    assert AmdCards(tmp_path).collect()[0].throttled == ()


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
