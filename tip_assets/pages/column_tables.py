"""The columns of the Parquet sets, from the types that they are made of."""

from collections.abc import Mapping

import msgspec
import polars as pl

from tip_assets.pages.markdown import code, table
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.realism.curve import CurvePoint
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.grade import SecondGrade
from tip_resources.domain.persona import Persona
from tip_resources.domain.reject import Reject
from tip_resources.domain.scenario import Scenario
from tip_resources.domain.set_metric import SetMetric
from tip_resources.storage.parquet_schema import parquet_schema

# What a row is -> the sets made of such rows: folders under sets/.
SETS: Mapping[type[msgspec.Struct], tuple[str, ...]] = {
    DatasetSpec: ("dataset_specs",),
    Scenario: ("scenarios",),
    Persona: ("personas",),
    Conversation: ("raw_conversations", "deduped_conversations", "graded_conversations", "scrubbed_conversations"),
    Reject: ("rejects",),
    RemovedCall: ("duplicates",),
    SecondGrade: ("second_grades",),
    SetMetric: ("dataset_metrics", "realism_discriminator"),
    CurvePoint: ("feedback_rounds",),
}
_NAMES = {pl.String: "text", pl.Int64: "whole number", pl.Float64: "number", pl.Boolean: "true or false"}


def column_tables() -> str:
    """A table of columns for each kind of row; what lies inside a column follows it, with a dot."""
    return "\n\n".join(_kind_table(kind, sets) for kind, sets in SETS.items())


def _kind_table(kind: type[msgspec.Struct], sets: tuple[str, ...]) -> str:
    words = " ".join((kind.__doc__ or "").split())
    rows = [row for name, dtype in parquet_schema(kind).items() for row in _rows(name, dtype)]
    return f"### {', '.join(map(code, sets))}\n\n{words}\n\n{table(('column', 'type'), rows)}"


def _rows(name: str, dtype: pl.DataType) -> list[tuple[str, str]]:
    inner, prefix = (dtype.inner, "list of ") if isinstance(dtype, pl.List) else (dtype, "")
    if isinstance(inner, pl.Struct):
        below = [row for field in inner.fields for row in _rows(f"{name}.{field.name}", _known(field.dtype))]
        return [(code(name), f"{prefix}records" if prefix else "record"), *below]
    return [(code(name), prefix + _NAMES[type(_known(inner))])]


def _known(dtype: object) -> pl.DataType:
    if not isinstance(dtype, pl.DataType):
        raise TypeError(f"{dtype!r} says nothing of what is in it")
    return dtype
