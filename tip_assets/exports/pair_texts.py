"""The calls that the report shows as pairs of duplicates, fetched from this data set and from earlier ones.

What is picked and how it is redacted is in report_pairs.py.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from tip_assets.exports.report_pairs import KnownCall
from tip_assets.planning.plan_sets import read_plans
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.persona import PersonalFact
from tip_resources.storage.layout import Layout
from tip_resources.storage.sets import open_set_if_there, read_set


class PairTexts:
    """Calls with what is known of their speakers, a few at a time.

    Args:
        layout: Where sets lie.
        dataset: The set that is reported on; its calls are read as they were written, those of others as delivered.
        copies: Working folder for sets that lie in S3.
    """

    def __init__(self, layout: Layout, dataset: str, copies: Path) -> None:
        self._layout, self._dataset, self._copies = layout, dataset, copies

    def calls(self, dataset_of: str, ids: Sequence[str]) -> Mapping[str, KnownCall]:
        """Calls of a set by id; "" means the reported one. Those that are not there any more are left out."""
        dataset = dataset_of or self._dataset
        frame = self._open("scrubbed_conversations" if dataset_of else "raw_conversations", dataset)
        if frame is None:
            return {}
        return {
            call.id: KnownCall(call, self._facts(dataset, call.index) if call.index is not None else ())
            for call in read_set(frame.filter(pl.col("id").is_in(ids)), Conversation)
        }

    def facts_of(self, index: int) -> Sequence[PersonalFact]:
        """What is known of the speakers of one plan of the reported set."""
        return self._facts(self._dataset, index)

    def _facts(self, dataset: str, index: int) -> Sequence[PersonalFact]:
        scenarios, personas = (self._open(name, dataset) for name in ("scenarios", "personas"))
        if scenarios is None or personas is None:
            return ()
        return next((plan.facts for plan in read_plans(scenarios, personas, index, index + 1)), ())

    def _open(self, name: str, dataset: str) -> pl.LazyFrame | None:
        return open_set_if_there(self._layout, name, dataset, self._copies)
