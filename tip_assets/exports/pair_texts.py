"""The calls that the report shows as pairs of duplicates, fetched from this data set and from earlier ones.

What is picked and how it is redacted is in report_pairs.py.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from tip_assets.exports.report_pairs import KnownCall
from tip_assets.planning.plan_sets import read_plans
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.persona import PersonalFact
from tip_resources.storage.layout import Layout
from tip_resources.storage.sets import read_set


class PairTexts:
    """Calls with what is known of their speakers, a few at a time.

    Args:
        layout: Where sets lie.
        dataset: The set that is reported on; its calls are read as they were written, those of others as delivered.
    """

    def __init__(self, layout: Layout, dataset: str) -> None:
        self._layout, self._dataset = layout, dataset

    def calls(self, dataset_of: str, ids: Sequence[str]) -> Mapping[str, KnownCall]:
        """Calls of a set by id; "" means the reported one. Those that are not there any more are left out."""
        dataset = dataset_of or self._dataset
        file = self._layout.set_file("scrubbed_conversations" if dataset_of else "raw_conversations", dataset)
        if not file.exists():
            return {}
        frame = pl.scan_parquet(str(file)).filter(pl.col("id").is_in(ids))
        return {
            call.id: KnownCall(call, self._facts(dataset, call.index) if call.index is not None else ())
            for call in read_set(frame, Conversation)
        }

    def facts_of(self, index: int) -> Sequence[PersonalFact]:
        """What is known of the speakers of one plan of the reported set."""
        return self._facts(self._dataset, index)

    def _facts(self, dataset: str, index: int) -> Sequence[PersonalFact]:
        files = [self._layout.set_file(name, dataset) for name in ("scenarios", "personas")]
        if not all(file.exists() for file in files):
            return ()
        scenarios, personas = (pl.scan_parquet(str(file)) for file in files)
        return next((plan.facts for plan in read_plans(scenarios, personas, index, index + 1)), ())
