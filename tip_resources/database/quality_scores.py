"""The grades of delivered calls, for queries across data sets. The calls and all their grades are Parquet sets.

A row belongs to a row of `conversations`, which holds what was delivered: a call that did not pass has none here.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Engine, any_, bindparam, delete, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import String

from tip_resources.database.tables import conversations, quality_scores
from tip_resources.domain.grade import Grade

_BATCH = 2_000


class QualityScores:
    """Reads and writes the `quality_scores` table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def replace_dataset(self, dataset: str, grades: Iterable[tuple[str, Grade]]) -> int:
        """Makes these (conversation id, grade) all that is kept of a data set's grades, in one transaction.

        A call may have several grades; one that is not in the delivered index is left out. Returns how many rows there
        were. Readers see the old rows or the new ones, never a mixture.
        """
        of_dataset = select(conversations.c.id).where(conversations.c.dataset == dataset)
        ids = (
            select(conversations.c.conversation_id, conversations.c.id)
            .where(conversations.c.dataset == dataset)
            .where(conversations.c.conversation_id == any_(bindparam("wanted", type_=ARRAY(String))))
        )
        count = 0
        with self._engine.begin() as connection:
            connection.execute(delete(quality_scores).where(quality_scores.c.conversation.in_(of_dataset)))
            for batch in _batches(grades):
                found = connection.execute(ids, {"wanted": [id for id, _ in batch]})
                keys = {row.conversation_id: row.id for row in found}
                rows = [_row(keys[id], grade) for id, grade in batch if id in keys]
                if rows:
                    connection.execute(insert(quality_scores), rows)
                count += len(rows)
        return count


def _row(key: str, grade: Grade) -> dict[str, Any]:
    return {
        "conversation": key,
        "realism": grade.realism,
        "coherence": grade.coherence,
        "naturalness": grade.naturalness,
        "overall": grade.overall,
        "metrics": grade.metrics,
        "grader": grade.grader,
        "tier": grade.tier,
        "rubric_version": grade.rubric_version,
        "rationale": grade.rationale,
    }


def _batches(items: Iterable[tuple[str, Grade]]) -> Iterator[list[tuple[str, Grade]]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
