"""What every step does the same way: its spending, its attempt, its tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from tip_assets.generation.spending import EndpointSpending, SpendingReport
from tip_resources.launch.tags import ATTEMPT_TAG

# In place of a cost that no price list knows.
_NO_PRICE = "unknown"
# Of tokens `in` and `out`. Short: the pages break no line in a heading, and cut off what is wider than they.
_SPENDING_COLUMNS = ("endpoint", "asked", "in", "out", "cost")


def shown_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> dg.TableMetadataValue:
    """A table that Dagster's page shows open, where Markdown and long JSON take a click. Cells are shown as text."""
    records = [dg.TableRecord({name: str(cell) for name, cell in zip(header, row, strict=True)}) for row in rows]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(name, "string") for name in header]))


def counted_table(name: str, counted: str, counts: Mapping[str, int]) -> dg.TableMetadataValue:
    """Counts by name, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1]) or [("(none)", 0)]
    records = [dg.TableRecord({name: key, counted: count}) for key, count in ordered]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(name), dg.TableColumn(counted, "int")]))


def spending_table(reports: Iterable[SpendingReport]) -> dg.TableMetadataValue:
    """What each endpoint was asked, over all slices; cost in US dollars. `recorded_spending` reads it back."""
    asked: dict[str, EndpointSpending] = {}
    for report in reports:
        for url, spent in report.by_endpoint.items():
            asked[url] = asked.get(url, EndpointSpending()).plus(spent)
    rows = [
        (url, one.requests, one.tokens_in, one.tokens_out, _NO_PRICE if one.cost is None else one.cost)
        for url, one in asked.items()
    ]
    records = [dg.TableRecord(dict(zip(_SPENDING_COLUMNS, row, strict=True))) for row in rows]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(name) for name in _SPENDING_COLUMNS]))


def recorded_spending(
    context: dg.AssetExecutionContext, asset: str = "raw_conversations", name: str = "spending"
) -> list[dict[str, Any]]:
    """What the newest materialization of a data set's asset says it spent, as `Spent`; empty where it says nothing."""
    wanted = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[context.partition_key])
    records = context.instance.fetch_materializations(wanted, limit=1).records
    found = records[0].asset_materialization if records else None
    recorded = found.metadata.get(name) if found else None
    if isinstance(recorded, dg.TableMetadataValue):
        rows = [row.data for row in recorded.value.records]
        costs = [None if row["cost"] == _NO_PRICE else row["cost"] for row in rows]
        return [
            {"tokens_in": row["in"], "tokens_out": row["out"], "cost": cost}
            for row, cost in zip(rows, costs, strict=True)
        ]
    return list(recorded.value) if isinstance(recorded, dg.JsonMetadataValue) else []  # type: ignore[arg-type]


def attempt_of(run: dg.DagsterRun) -> int | None:
    """The attempt that a run was launched for by us; None for one that a person started or re-executed in Dagster."""
    attempt = run.tags.get(ATTEMPT_TAG, "")
    return int(attempt) if attempt.isdigit() and run.parent_run_id is None else None
