"""The section `gpus`: all graphics cards of the machine, whoever made them. Each vendor's way is in gpus_<vendor>."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from node_agent.collectors.asking import Unanswered
from node_agent.collectors.base import NoData
from node_agent.collectors.gpus_amd import AmdCards
from node_agent.collectors.gpus_apple import AppleCards
from node_agent.collectors.gpus_nvidia import NvidiaCards
from node_agent.report import Gpu

_LOG = logging.getLogger(__name__)


class Vendor(Protocol):
    """How one maker's cards are measured."""

    def collect(self) -> list[Gpu]:
        """Its cards now.

        Raises:
            NoData: This machine has none of its cards, or lacks the program that measures them.
            Unanswered: There is something, but it gives no answer.
        """
        ...


class GpuCollector:
    """The section `gpus`. A card is numbered by its place in the list, NVIDIA's first and in NVML's order."""

    name = "gpus"
    # `macmon pipe` measures for a second before it answers.
    timeout_seconds = 6.0

    def __init__(self, vendors: Sequence[Vendor] | None = None) -> None:
        self._vendors = (NvidiaCards(), AmdCards(), AppleCards()) if vendors is None else tuple(vendors)
        self._complained: set[str] = set()

    def collect(self) -> tuple[Gpu, ...]:
        """All cards now. One maker's failure hides no other maker's cards; it is logged once.

        Raises:
            NoData: No maker has a card here; the message says what each said.
            Unanswered: No card could be read, and at least one maker failed.
        """
        cards: list[Gpu] = []
        absent: list[str] = []
        failures: list[Unanswered] = []
        for vendor in self._vendors:
            try:
                cards += vendor.collect()
            except NoData as none:
                absent.append(str(none))
            except Unanswered as failure:
                failures.append(failure)
        if not cards and failures:
            raise Unanswered("; ".join(map(str, failures)))
        if not cards:
            raise NoData("no card: " + "; ".join(absent))
        self._complain(failures)
        return tuple(replace(card, index=index) for index, card in enumerate(cards))

    def _complain(self, failures: Sequence[Unanswered]) -> None:
        for text in {str(failure) for failure in failures} - self._complained:
            self._complained.add(text)
            _LOG.warning("cards are missing from the report: %s", text)
