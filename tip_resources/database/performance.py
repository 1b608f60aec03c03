"""How busy and how fast endpoints were during a run: rows of performance_samples, and reading them back."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Engine, Row, insert, select

from tip_resources.database.tables import performance_samples
from tip_resources.database.trouble import DATABASE_TROUBLE

if TYPE_CHECKING:
    from tip_resources.llm.endpoint_state import EndpointStatus

_logger = logging.getLogger(__name__)

SAMPLE_SECONDS = 5.0
_MOST_TOKENS_PER_SECOND = 999_999.0  # what numeric(10, 4) holds


class PerformanceSample(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint at one moment. Unknown is None; `error_rate`, and the calls that ended with their tokens and
    seconds, are of the time since the sample before."""

    run_id: str
    timestamp: datetime | None = None
    endpoint: str
    model: str
    concurrency: int
    throughput_per_sec: float | None = None
    p50_latency_ms: int | None = None
    p95_latency_ms: int | None = None
    error_rate: float | None = None
    queue_depth: int | None = None
    calls: int = 0
    failed_calls: int = 0
    tokens_out: int = 0
    call_seconds: float = 0.0


class PerformanceStore:
    """Reads and writes performance_samples; the database sets the time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, samples: Sequence[PerformanceSample]) -> None:
        """Adds rows, all of one moment."""
        rows = [{**msgspec.structs.asdict(sample)} for sample in samples]
        for row in rows:
            del row["timestamp"]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(performance_samples), rows)

    def samples_of_run(self, run_id: str) -> Sequence[PerformanceSample]:
        """All samples of a run in the order of time. `run_id` as it was given to the recorder."""
        columns = performance_samples.c
        query = select(performance_samples).where(columns.run_id == run_uuid(run_id))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(columns.timestamp, columns.id))
            return [_sample(row) for row in rows]

    def newest(self, endpoint: str) -> PerformanceSample | None:
        """The newest sample of an endpoint in which it was at work; else the newest at all; None without any."""
        columns = performance_samples.c
        query = select(performance_samples).where(columns.endpoint == endpoint).order_by(columns.timestamp.desc())
        with self._engine.connect() as connection:
            busy = connection.execute(query.where(columns.throughput_per_sec > 0).limit(1)).one_or_none()
            row = busy or connection.execute(query.limit(1)).one_or_none()
            return None if row is None else _sample(row)


class PerformanceRecorder:
    """Writes a sample of every endpoint each 5 seconds, and a last one at the end. An async context manager.

    Args:
        store: Where the samples go.
        run_id: Dagster's run id; for anything else `new_run_id()`.
        status: `RequestEngine.status`.
        address_of: The shared address of an endpoint's URL.
        queue_depth: How many calls wait for an endpoint, if somebody knows.
    """

    def __init__(
        self,
        store: PerformanceStore,
        run_id: str,
        status: "Callable[[], tuple[EndpointStatus, ...]]",
        *,
        address_of: Callable[[str], str] = str,
        queue_depth: Callable[[], int] | None = None,
    ) -> None:
        self._store = store
        self._run_id = run_uuid(run_id)
        self._status = status
        self._address_of = address_of
        self._queue_depth = queue_depth
        self._counts: dict[str, EndpointStatus] = {}
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_away = False

    async def __aenter__(self) -> "PerformanceRecorder":
        self._task = asyncio.create_task(self._keep_recording())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        if self._task is not None:
            await self._task
        await self._record()

    async def _keep_recording(self) -> None:
        while not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), SAMPLE_SECONDS)
            except TimeoutError:
                await self._record()

    async def _record(self) -> None:
        """A database that is away costs samples, never the run."""
        samples = [self._sampled(status) for status in self._status()]
        try:
            await asyncio.to_thread(self._store.add, samples)
            self._is_away = False
        except DATABASE_TROUBLE as error:
            if not self._is_away:
                _logger.warning("samples of the engine's speed are lost for now: %s", error)
            self._is_away = True

    def _sampled(self, status: "EndpointStatus") -> PerformanceSample:
        before = self._counts.get(status.name)
        self._counts[status.name] = status
        calls, failed, tokens, seconds = (
            now - then for now, then in zip(_totals(status), _totals(before), strict=True)
        )
        rate = status.tokens_per_second
        return PerformanceSample(
            run_id=self._run_id,
            endpoint=self._address_of(status.url),
            model=status.model,
            concurrency=status.in_flight,
            throughput_per_sec=None if rate is None else min(rate, _MOST_TOKENS_PER_SECOND),
            p50_latency_ms=_rounded(status.p50_call_ms),
            p95_latency_ms=_rounded(status.p95_call_ms),
            error_rate=min(1.0, failed / calls) if calls > 0 else None,
            queue_depth=None if self._queue_depth is None else self._queue_depth(),
            calls=int(calls),
            failed_calls=int(failed),
            tokens_out=int(tokens),
            call_seconds=seconds,
        )


def _totals(status: "EndpointStatus | None") -> tuple[float, float, float, float]:
    """Calls, failed ones, tokens and seconds of all calls so far."""
    if status is None:
        return 0, 0, 0, 0.0
    return status.calls, sum(status.failures_by_kind.values()), status.tokens_out, status.call_seconds


def new_run_id() -> str:
    """For runs that are not Dagster's."""
    return str(uuid.uuid4())


def run_uuid(run_id: str) -> str:
    """A run id in the one form the table takes.

    Raises:
        ValueError: Not a UUID.
    """
    return str(uuid.UUID(run_id))


def _rounded(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)


def _sample(row: Row[Any]) -> PerformanceSample:
    return PerformanceSample(
        run_id=row.run_id,
        timestamp=row.timestamp,
        endpoint=row.endpoint,
        model=row.model,
        concurrency=row.concurrency or 0,
        throughput_per_sec=_number(row.throughput_per_sec),
        p50_latency_ms=row.p50_latency_ms,
        p95_latency_ms=row.p95_latency_ms,
        error_rate=_number(row.error_rate),
        queue_depth=row.queue_depth,
        calls=row.calls,
        failed_calls=row.failed_calls,
        tokens_out=row.tokens_out,
        call_seconds=row.call_seconds,
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
