"""Measures the request engine: one-conversation requests against any OpenAI-compatible URLs, each answer kept.

What is asked stands in bench_requests.py, where answers are kept in answer_journal.py; the command is
tip_assets/cli/bench_engine.py. Whether an answer reads well is not judged: it is kept when it satisfies the schema.
"""

import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec

from tip_assets.generation.answer_journal import AnswerJournal
from tip_assets.generation.bench_requests import IDENTITY, answer_in, bench_request, index_of
from tip_assets.generation.engine import SharedRecords, engine_for
from tip_assets.generation.peak_memory import peak_memory_mb
from tip_resources.llm.types import ChatRequest, Endpoint, EngineEvent, EngineNotice, Item, RequestDone
from tip_resources.settings.models import Settings

# How often one request is given to the engine, which retries by itself each time: what failed for a passing
# reason is answered by then, and what fails always must not be asked for ever.
_MOST_TRIES = 10


class EndpointFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one endpoint did. `kept` counts answers of killed runs before this one too; unknown is None."""

    url: str
    kept: int
    concurrency_final: int
    p95_ttft_ms: float | None


class BenchFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to. `kept` and `lost` are of all requests; `asked`, the times and costs of this run alone.

    `asked` counts HTTP calls. The makespan goes from the first request sent to the last answer kept; CPU seconds
    are of all threads of this process while it ran; the memory peak is of the process since its start.
    """

    requests: int
    kept: int
    lost: int
    asked: int
    makespan_seconds: float
    client_cpu_seconds: float
    peak_rss_mb: float
    endpoints: tuple[EndpointFigures, ...]


class BenchRun(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, and for what is lost the reasons with how often each was given."""

    figures: BenchFigures
    reasons: tuple[tuple[str, int], ...] = ()


async def measure(
    endpoints: Sequence[Endpoint],
    requests: int,
    folder: Path,
    *,
    settings: Settings,
    max_output_tokens: int,
    shared: SharedRecords | None = None,
    on_kept: Callable[[int], None] = lambda _: None,
    on_notice: Callable[[EngineNotice], None] | None = None,
) -> BenchRun:
    """Asks for what `folder` does not hold yet, until nothing is missing or asking again is of no use.

    Args:
        endpoints: The servers; names must differ.
        requests: How many answers there should be.
        folder: Where answers are kept; a killed run goes on from it.
        settings: Of the engine.
        max_output_tokens: Per answer.
        shared: Where limits are shared and kept; None learns for this run alone.
        on_kept: Told how many answers there are, after each.
        on_notice: Told what the engine decides.

    Raises:
        BadInput: The folder holds answers to other requests, or another process writes there.
    """
    with AnswerJournal(folder, IDENTITY) as journal:
        patience_seconds = settings.engine.unavailable_limit_seconds
        bench = _Bench(journal, requests, max_output_tokens, patience_seconds, on_kept)
        async with engine_for(endpoints, settings, shared=shared, on_notice=on_notice) as engine:
            cpu_before = time.process_time()
            while bench.is_open:
                async with aclosing(engine.run(bench.open_requests())) as events:
                    async for event in events:
                        bench.take(event)
            journal.sync()
            cpu_seconds = time.process_time() - cpu_before
            statuses = engine.status()
    kept_by_url = Counter(url for index, url in journal.kept.items() if index < requests)
    figures = BenchFigures(
        requests=requests,
        kept=requests - len(bench.missing),
        lost=len(bench.missing),
        asked=bench.asked,
        makespan_seconds=round(bench.makespan_seconds, 4),
        client_cpu_seconds=round(cpu_seconds, 4),
        peak_rss_mb=round(peak_memory_mb(), 1),
        endpoints=tuple(
            EndpointFigures(
                url=status.url,
                kept=kept_by_url[status.url],
                concurrency_final=status.limit,
                p95_ttft_ms=_p95(bench.first_token_ms[status.name]),
            )
            for status in statuses
        ),
    )
    return BenchRun(figures=figures, reasons=bench.reasons())


class _Bench:
    """What is still to be asked, and what has come."""

    def __init__(
        self,
        journal: AnswerJournal,
        requests: int,
        max_output_tokens: int,
        patience_seconds: float,
        on_kept: Callable[[int], None],
    ) -> None:
        self._journal, self._requests = journal, requests
        self._max_output_tokens, self._patience_seconds = max_output_tokens, patience_seconds
        self._on_kept = on_kept
        missing = [index for index in range(requests) if index not in journal.kept]
        self.missing = set(missing)
        self.asked = 0
        self.first_token_ms: defaultdict[str, list[float]] = defaultdict(list)
        self._waiting = deque(missing)
        self._tries: Counter[int] = Counter()
        self._why: dict[int, str] = {}
        self._first_sent_at: float | None = None
        self._last_kept_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether there is anything left to ask."""
        return bool(self._waiting)

    @property
    def makespan_seconds(self) -> float:
        """From the first request to the last answer kept; 0 when none was."""
        return max(0.0, self._last_kept_at - (self._first_sent_at or 0.0))

    def reasons(self) -> tuple[tuple[str, int], ...]:
        """Why answers are missing, each reason with how often it was given, the most frequent first."""
        return tuple(Counter(self._why.get(index, "never asked") for index in self.missing).most_common())

    def open_requests(self) -> Iterator[ChatRequest]:
        """Every request without an answer; one that failed comes again behind the others while there are some."""
        while self._waiting:
            if self._first_sent_at is None:
                self._first_sent_at = time.perf_counter()
            yield bench_request(self._waiting.popleft(), self._max_output_tokens)

    def take(self, event: EngineEvent) -> None:
        """Keeps an answer the moment it is whole; what came to nothing goes to the end of the line."""
        match event:
            case Item():
                self._keep(event)
            case RequestDone():
                self.asked += event.attempts
                index = index_of(event.request_id)
                if index in self.missing:
                    self._again(index, event)

    def _keep(self, item: Item) -> None:
        index = index_of(item.request_id)
        answer = answer_in(item.value)
        if answer is None or index not in self.missing:
            return
        self._journal.keep(index, item.endpoint.url, answer)
        self._last_kept_at = time.perf_counter()
        self.missing.remove(index)
        if item.time_to_first_token_ms is not None:
            self.first_token_ms[item.endpoint.name].append(item.time_to_first_token_ms)
        self._on_kept(self._requests - len(self.missing))

    def _again(self, index: int, done: RequestDone) -> None:
        self._tries[index] += 1
        self._why[index] = done.detail or "the answer does not satisfy the schema"
        if self._tries[index] < _MOST_TRIES:
            self._waiting.append(index)
        silent_since = max(self._last_kept_at, self._first_sent_at or 0.0)
        if time.perf_counter() - silent_since > self._patience_seconds:
            # For so long the engine has waited for endpoints in vain; it need not do so once more for each try.
            self._waiting.clear()


def _p95(values: Sequence[float]) -> float | None:
    """The 95th percentile (nearest rank); None without values."""
    return round(sorted(values)[math.ceil(0.95 * len(values)) - 1], 1) if values else None
