"""What making a set has cost so far, and whether one more request would break its budget. No Dagster here.

How far a limit can be passed: a request is only sent while what is spent, plus what the requests under way are
expected to take (the mean of those that ended), plus itself, stays below the limit. So the overshoot is what requests
under way take beyond the mean, and, before the first one has ended, beyond the estimate. With a `Metered` engine
(answering.py) requests wait for room rather than end the writing, so that a limit is also used up.
"""

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from tip_resources.domain.dataset_spec import Budget
from tip_resources.llm.addresses import is_near
from tip_resources.llm.prices import PriceList, check_prices_known
from tip_resources.llm.types import Endpoint, RequestDone
from tip_resources.storage.checkpoint import CallUsage

# Of text whose tokens a server did not count: the usual figure for English.
_CHARACTERS_PER_TOKEN = 4


class EndpointSpending(msgspec.Struct, frozen=True, kw_only=True):
    """What one endpoint was asked; `cost` in US dollars, None when its price is unknown."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = 0.0

    def plus(self, other: "EndpointSpending") -> "EndpointSpending":
        """Both together."""
        return EndpointSpending(
            requests=self.requests + other.requests,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            cost=None if self.cost is None or other.cost is None else self.cost + other.cost,
        )


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what a set took, as its page has it on record; `cost` in US dollars, None when its price is unknown."""

    tokens_in: int
    tokens_out: int
    cost: float | None


class SpendingReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of it so far, earlier runs of the set included; `minutes` are of this run.

    `uncounted` is how many model calls came to nothing without their tokens being known: a server counts what it
    sends only at the end of an answer. `cost` None when any price is unknown.
    """

    tokens_in: int
    tokens_out: int
    cost: float | None
    minutes: float
    uncounted: int
    by_endpoint: dict[str, EndpointSpending]

    @property
    def tokens(self) -> int:
        """In and out together, which is what a limit on tokens counts."""
        return self.tokens_in + self.tokens_out


class Expected(msgspec.Struct, frozen=True):
    """What one request is expected to take while none has ended yet; cost in US dollars."""

    tokens: float = 0.0
    cost: float = 0.0


class SpentBefore(msgspec.Struct, frozen=True):
    """What other work on the set took: it counts toward the limits and is not in the report. `cost` None: unknown."""

    tokens: int = 0
    cost: float | None = 0.0


class Spending:
    """Counts what a set costs. Has the shape that the writing loop asks whether to stop, once `begin` was called.

    Args:
        budget: The limits; None in it is no limit.
        prices: What tokens cost.
        batch_api: Everything goes through the batch API, at its price.
        earlier: What earlier runs of the same set kept a record of (`Checkpoint.usages`).
        share: The part of the budget, and of what earlier runs spent, that is this writer's: the calls of its slice
            over those of the set. Slices are written at the same time and do not see each other's counts.
        before: What other work on the set took (judging counts what writing took).
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        budget: Budget,
        prices: PriceList,
        *,
        batch_api: bool = False,
        earlier: Iterable[CallUsage] = (),
        share: float = 1.0,
        before: SpentBefore = SpentBefore(),  # noqa: B008 (frozen)
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.prices = prices
        self._budget, self._earlier, self._before = budget, tuple(earlier), before
        self._batch_api, self._share, self._clock = batch_api, share, clock
        self._endpoints: tuple[Endpoint, ...] = ()
        self._expected = Expected()
        self._in_flight: Callable[[], int] = lambda: 0
        self._reserved = 0
        self._started = clock()
        self._by_endpoint: dict[str, EndpointSpending] = {}
        self._ended = self._uncounted = 0
        self._tokens_here = self._cost_here = self._seconds_here = 0.0

    def begin(
        self,
        endpoints: Sequence[Endpoint],
        *,
        in_flight: Callable[[], int] = lambda: 0,
        expected: Expected | None = None,
    ) -> None:
        """Says who is asked; minutes count from now.

        Args:
            endpoints: The servers that may be asked.
            in_flight: Gives the number of requests that were handed out and have not ended (`Metered.in_flight`).
            expected: Of one request, until the first has ended.

        Raises:
            BadInput: A limit on cost, and no price is known for a model that may be asked.
        """
        if self._budget.max_cost is not None:
            check_prices_known(endpoints, self.prices)
        self._endpoints, self._in_flight, self._reserved = tuple(endpoints), in_flight, 0
        self._expected = expected or Expected()
        self._started = self._clock()
        self._by_endpoint = {}
        for usage in self._earlier:
            self._count_earlier(usage)

    def request_done(self, done: RequestDone) -> None:
        """Counts a request that has ended, well or not."""
        known = done.tokens_in is not None or done.tokens_out is not None
        # Of attempts before the last one nothing is known; of a last one that broke, its text.
        self._uncounted += max(0, done.attempts - 1) + (done.attempts > 0 and not known)
        tokens_in = done.tokens_in or 0
        tokens_out = done.tokens_out if done.tokens_out is not None else len(done.raw_text) // _CHARACTERS_PER_TOKEN
        if done.endpoint is None:
            return
        cost = self.prices.cost(done.endpoint, tokens_in, tokens_out, batch_api=self._batch_api)
        self._add(done.endpoint.url, tokens_in, tokens_out, cost)
        self._ended += 1
        self._tokens_here += tokens_in + tokens_out
        self._cost_here += cost or 0.0
        self._seconds_here += done.duration_ms / 1000

    def has_room(self) -> bool:
        """Whether one more request may go out beside those under way; if not, it may once some have ended."""
        return not self._would_break(1)

    def reserve(self, requests: int) -> None:
        """Keeps room for `requests` that are still to come of what was begun, those in flight included."""
        self._reserved = requests

    def stop_reason(self, more: int = 1) -> str | None:
        """Why not so many `more` requests are to be sent, in words; None while there is room.

        For example: `stopped at the budget: 1,003,210 of 1,000,000 tokens (--max-tokens)`.
        """
        broken = self._would_break(more)
        return f"stopped at the budget: {self._said(broken)}" if broken else None

    def report(self) -> SpendingReport:
        """What was spent so far."""
        counts = self._by_endpoint.values()
        costs = [one.cost for one in counts if one.cost is not None]
        return SpendingReport(
            tokens_in=sum(one.tokens_in for one in counts),
            tokens_out=sum(one.tokens_out for one in counts),
            cost=sum(costs) if len(costs) == len(counts) else None,
            minutes=self._minutes(),
            uncounted=self._uncounted,
            by_endpoint=dict(self._by_endpoint),
        )

    def _minutes(self) -> float:
        return (self._clock() - self._started) / 60

    def _all_so_far(self) -> SpentBefore:
        """What counts toward the limits. A cost that is not known counts as nothing: `begin` refused a limit on it."""
        now = self.report()
        return SpentBefore(self._before.tokens + now.tokens, (self._before.cost or 0.0) + (now.cost or 0.0))

    def _would_break(self, more: int) -> str:
        """The name of the limit that so many more requests, made one after the other, would pass."""
        budget, now = self._budget, self._all_so_far()
        under_way = max(self._in_flight(), self._reserved)
        if not self._ended and not under_way and not self._earlier and not self._before.tokens:
            # Nothing is known yet: the first request is always made, or a low estimate would forbid any.
            return ""
        to_come = under_way + more
        # What ended speaks the louder the more of it there is: the first turns of a call are its shortest.
        known = self._ended / (self._ended + more - 1) if self._ended else 0.0
        tokens = to_come * _mixed(self._tokens_here, self._ended, self._expected.tokens, known)
        cost = to_come * _mixed(self._cost_here, self._ended, self._expected.cost, known)
        seconds = more * self._seconds_here / self._ended if self._ended and not self._batch_api else 0.0
        if budget.max_tokens is not None and now.tokens + tokens > budget.max_tokens * self._share:
            return "max_tokens"
        if budget.max_cost is not None and (now.cost or 0.0) + cost > budget.max_cost * self._share:
            return "max_cost"
        if budget.max_minutes is not None and self._minutes() + seconds / 60 > budget.max_minutes:
            return "max_minutes"
        return ""

    def _said(self, limit: str) -> str:
        budget, now = self._budget, self._all_so_far()
        of_slice = "" if self._share >= 1 else f" for this slice, {self._share:.0%} of the set"
        if limit == "max_tokens" and budget.max_tokens is not None:
            return f"{now.tokens:,} of {budget.max_tokens * self._share:,.0f} tokens (--max-tokens{of_slice})"
        if limit == "max_cost" and budget.max_cost is not None:
            return f"{now.cost or 0.0:.2f} of {budget.max_cost * self._share:.2f} USD (--max-cost{of_slice})"
        return f"{self._minutes():.1f} of {budget.max_minutes:g} minutes (--max-minutes)"

    def _add(self, url: str, tokens_in: int, tokens_out: int, cost: float | None) -> None:
        one = EndpointSpending(requests=1, tokens_in=tokens_in, tokens_out=tokens_out, cost=cost)
        self._by_endpoint[url] = self._by_endpoint.get(url, EndpointSpending()).plus(one)

    def _count_earlier(self, usage: CallUsage) -> None:
        """A record names the server but not the model: the dearest that is asked there now, or anywhere."""
        tokens_in, tokens_out = (round((count or 0) * self._share) for count in (usage.tokens_in, usage.tokens_out))
        there = [endpoint for endpoint in self._endpoints if endpoint.url == usage.endpoint]
        if not there and not is_near(usage.endpoint):
            there = list(self._endpoints)
        costs = [self.prices.cost(one, tokens_in, tokens_out, batch_api=self._batch_api) for one in there]
        known = [cost for cost in costs if cost is not None]
        self._add(usage.endpoint, tokens_in, tokens_out, max(known, default=0.0) if len(known) == len(costs) else None)


def _mixed(total: float, ended: int, expected: float, known: float) -> float:
    """What one request takes: the mean of those that ended as to its part `known`, else what was expected."""
    return known * total / max(1, ended) + (1 - known) * expected


def stopped_note(reason: str, *, kept: int, asked: int) -> str:
    """The whole sentence for a note or metadata: `...; 412 of 500 calls are kept; raise it and ask again`."""
    return f"{reason}; {kept:,} of {asked:,} calls are kept; raise it and ask again"
