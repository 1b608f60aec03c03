"""The figures of machines over time: every report for 24 hours, then minimum, mean and maximum of quarter hours.

The database sets the times. What a machine is now is in nodes.py.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, text

from node_agent.report import NodeReport, Reading
from tip_resources.database.tables import NODE_FIGURES

KEEP_REPORTS_HOURS = 24
# A fold of an hour of 1,000 machines moves 120,000 rows; a longer backlog takes several.
_QUARTERS_IN_ONE_FOLD = 4

_FIGURES = ", ".join(NODE_FIGURES)
_ADD = text(f"""
INSERT INTO tip.node_reports (node_id, state, {_FIGURES})
SELECT nodes.id, given.state, {", ".join(f"given.{figure}" for figure in NODE_FIGURES)}
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (
    node text, state text, {", ".join(f"{figure} real" for figure in NODE_FIGURES)})
JOIN tip.nodes ON nodes.name = given.node
ON CONFLICT (node_id, received_at) DO NOTHING
""")

_MEASURES = ", ".join(f"{f}_min, {f}_mean, {f}_max, {f}_count" for f in NODE_FIGURES)
_MERGED = ", ".join(
    f"{f}_min = least(kept.{f}_min, excluded.{f}_min), {f}_max = greatest(kept.{f}_max, excluded.{f}_max), "
    f"{f}_count = kept.{f}_count + excluded.{f}_count, {f}_mean = "
    f"(coalesce(kept.{f}_mean * kept.{f}_count, 0) + coalesce(excluded.{f}_mean * excluded.{f}_count, 0)) "
    f"/ nullif(kept.{f}_count + excluded.{f}_count, 0)"
    for f in NODE_FIGURES
)
# In one statement: no report is ever both deleted and not counted, or counted twice.
_FOLD = text(f"""
WITH bound AS (
    SELECT least(
        date_bin('15 minutes', now() - make_interval(hours => :keep_hours), 'epoch'),
        date_bin('15 minutes', min(received_at), 'epoch') + :quarters * interval '15 minutes') AS before
    FROM tip.node_reports
), gone AS (
    DELETE FROM tip.node_reports USING bound WHERE received_at < bound.before RETURNING node_reports.*
), folded AS (
    INSERT INTO tip.node_quarters AS kept (node_id, quarter_at, reports, {_MEASURES})
    SELECT node_id, date_bin('15 minutes', received_at, 'epoch') AS quarter, count(*),
        {", ".join(f"min({f}), avg({f}), max({f}), count({f})" for f in NODE_FIGURES)}
    FROM gone GROUP BY node_id, quarter
    ON CONFLICT (node_id, quarter_at) DO UPDATE SET reports = kept.reports + excluded.reports, {_MERGED}
)
SELECT count(*) FROM gone
""")

_HISTORY = text(f"""
SELECT quarter_at AS at, 900 AS seconds, reports, '' AS state,
    {", ".join(f"{f}_min, {f}_mean, {f}_max" for f in NODE_FIGURES)}
FROM tip.node_quarters JOIN tip.nodes ON nodes.id = node_id
WHERE nodes.name = :node AND quarter_at >= :since
UNION ALL
SELECT received_at, 0, 1, node_reports.state, {", ".join(f"{f}, {f}, {f}" for f in NODE_FIGURES)}
FROM tip.node_reports JOIN tip.nodes ON nodes.id = node_id
WHERE nodes.name = :node AND received_at >= :since
ORDER BY at
""")


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one report. Unknown is None."""

    node: str
    state: str
    cpu_celsius: float | None = None
    gpu_celsius: float | None = None
    gpu_watts: float | None = None
    cpu_ratio: float | None = None
    gpu_ratio: float | None = None


class Span(msgspec.Struct, frozen=True):
    """The least, mean and largest value of a time; three times the same for a single report."""

    least: float
    mean: float
    most: float


class HistoryPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One machine at `at`: a report (`seconds` 0), or the `reports` of a quarter of an hour that begins then.

    `state` is told of single reports only. A figure that was never known in that time is None.
    """

    at: datetime
    seconds: int
    reports: int
    state: str
    cpu_celsius: Span | None
    gpu_celsius: Span | None
    gpu_watts: Span | None
    cpu_ratio: Span | None
    gpu_ratio: Span | None


def report_row(report: NodeReport, state: str) -> ReportRow:
    """The figures of a report: the hottest and the busiest card's, and the watts of all cards together."""
    gpus = report.gpus or ()
    watts = _known(gpu.power_watts for gpu in gpus)
    return ReportRow(
        node=report.node,
        state=state,
        cpu_celsius=None if report.thermal is None else report.thermal.cpu_celsius.value,
        gpu_celsius=max(_known(gpu.celsius for gpu in gpus), default=None),
        # A sum without one of the cards would look like less power, not like less knowledge.
        gpu_watts=sum(watts) if gpus and len(watts) == len(gpus) else None,
        cpu_ratio=None if report.host is None else report.host.cpu_ratio.value,
        gpu_ratio=max(_known(gpu.busy_ratio for gpu in gpus), default=None),
    )


class NodeReportStore:
    """Reads and writes node_reports and node_quarters."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, rows: Sequence[ReportRow]) -> int:
        """Adds the reports of one pass in one statement; of each machine at most one, and only of noted machines.

        Returns:
            How many were added.
        """
        if not rows:
            return 0
        with self._engine.begin() as connection:
            return connection.execute(_ADD, {"rows": msgspec.json.encode(rows).decode()}).rowcount

    def fold(self) -> int:
        """Makes quarter hours of reports older than 24 hours, up to an hour's worth.

        Returns:
            How many reports were folded; 0 when nothing is left to do.
        """
        with self._engine.begin() as connection:
            options = {"keep_hours": KEEP_REPORTS_HOURS, "quarters": _QUARTERS_IN_ONE_FOLD}
            return connection.execute(_FOLD, options).scalar_one()

    def history(self, node: str, since: datetime) -> Sequence[HistoryPoint]:
        """One machine since a time, oldest first: quarter hours, and the single reports of the last 24 hours."""
        with self._engine.connect() as connection:
            return [_point(row) for row in connection.execute(_HISTORY, {"node": node, "since": since})]


def _known(readings: Iterable[Reading]) -> list[float]:
    return [reading.value for reading in readings if reading.value is not None]


def _point(row: Row[Any]) -> HistoryPoint:
    values = row._mapping
    spans: dict[str, Any] = {
        figure: None
        if values[f"{figure}_mean"] is None
        else Span(*(values[f"{figure}_{measure}"] for measure in ("min", "mean", "max")))
        for figure in NODE_FIGURES
    }
    return HistoryPoint(at=row.at, seconds=row.seconds, reports=row.reports, state=row.state, **spans)
