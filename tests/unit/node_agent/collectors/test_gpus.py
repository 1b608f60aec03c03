"""Promises of the section that joins all makers' cards."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import pytest

from node_agent.collectors.asking import Unanswered
from node_agent.collectors.base import NoData
from node_agent.collectors.gpus import GpuCollector
from node_agent.collectors.gpus_amd import AmdCards
from node_agent.collectors.gpus_nvidia import NvidiaCards
from node_agent.report import Gpu, Reading
from tests.unit.node_agent.collectors.nvml_double import BUSY_CARD, NvmlDouble, sample
from tests.unit.node_agent.collectors.sysfs_tree import write_tree


@dataclass
class Saying:
    """A maker whose cards cannot be read, for the reason given."""

    failure: Exception

    def collect(self) -> list[Gpu]:
        raise self.failure


def nvidia() -> NvidiaCards:
    return NvidiaCards(lambda: NvmlDouble(BUSY_CARD, BUSY_CARD), is_ours=lambda pid: True)


def test_cards_of_all_makers_are_numbered_through(tmp_path: Path) -> None:
    write_tree(tmp_path, {"class/drm/card2/device/vendor": "0x1002"})
    cards = GpuCollector((nvidia(), AmdCards(tmp_path))).collect()
    assert [(card.index, card.vendor) for card in cards] == [(0, "nvidia"), (1, "nvidia"), (2, "amd")]


def test_a_machine_without_a_card_says_what_each_maker_said() -> None:
    with pytest.raises(NoData, match="no card: first; second"):
        GpuCollector((Saying(NoData("first")), Saying(NoData("second")))).collect()


def test_a_maker_that_fails_is_an_error_where_no_card_is_known() -> None:
    with pytest.raises(Unanswered, match="NVIDIA: version mismatch"):
        GpuCollector((Saying(Unanswered("NVIDIA: version mismatch")), Saying(NoData("AMD: none")))).collect()


def test_a_maker_that_fails_hides_no_other_cards_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    collector = GpuCollector((nvidia(), Saying(Unanswered("AMD: broken"))))
    with caplog.at_level(logging.WARNING):
        assert len(collector.collect()) == len(collector.collect()) == 2
    assert [record.message for record in caplog.records] == ["cards are missing from the report: AMD: broken"]


def test_the_name_of_a_program_that_uses_a_card_does_not_leave_the_machine() -> None:
    mine = psutil.Process()
    nvml = NvmlDouble({**BUSY_CARD, "nvmlDeviceGetProcessUtilization": [sample(mine.pid, 50)]})
    (card,) = GpuCollector((NvidiaCards(lambda: nvml),)).collect()
    assert card.others_ratio == Reading(0.5)
    assert not any(word in json.dumps(asdict(card)) for word in (mine.name(), *mine.cmdline()))


def test_this_machine_is_asked_without_an_error() -> None:
    try:
        cards = GpuCollector().collect()
    except NoData as none:
        assert "no card" in str(none)
    else:
        assert all(card.name for card in cards)
