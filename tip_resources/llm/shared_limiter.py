"""The limiter of an endpoint that other processes may use too: alone it is the learning limiter it wraps.

Among several, the oldest leads: its learning limiter hears the tokens and calls of all of them and so finds the
limit of the endpoint; every holder gets its share of that. Who the others are is told by shared_limits.py. Times
are seconds of the engine's clock.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from tip_resources.database.endpoint_leases import Grant, Lease
from tip_resources.database.endpoint_limits import RememberedLimit
from tip_resources.llm.guardrails import p95
from tip_resources.llm.limiter import CallSample, Learned, Limiter
from tip_resources.llm.machine_standing import held_limit
from tip_resources.llm.sharing import fair_shares, takable
from tip_resources.llm.types import Endpoint

# With fewer calls than holders, those served change this often; a turn ends when its calls have.
TURN_SECONDS = 30
_CALLS_LOOKED_AT = 50


class LearningLimiter(Limiter, Protocol):
    """A limiter that can say what it learned."""

    @property
    def learned(self) -> Learned | None:
        """What is worth keeping; None until something was measured."""
        ...


# Makes the learning limiter of an endpoint, from what an earlier run learned if one did.
Learn = Callable[[Endpoint, Learned | None], LearningLimiter]


class SharedLimiter:
    """A `Limiter`: the wrapped one's limit while alone, a share of the endpoint's among others."""

    def __init__(self, endpoint: Endpoint, learn: Learn, holder: str) -> None:
        self.endpoint = endpoint
        self.in_flight = 0
        self.tokens_total = 0
        self._learn = learn
        self.holder = holder
        self._remembered: RememberedLimit | None = None
        self._remembered_at = 0.0
        self._own = learn(endpoint, None)
        self._start_reason = ""
        self._now = 0.0
        self._share: int | None = None  # None while alone
        self._holders = 1
        self._endpoint_limit = 0
        self._leads = True
        self._others: tuple[float, dict[str, int]] | None = None
        self._others_in_flight = 0
        self._others_rate = self._others_tokens = 0.0
        self._peak: int | None = None  # most calls at once since the last heartbeat; None before the first
        self._was_full = False
        self._weight = 1.0  # what the machine leaves of the limit
        self._first_ms: deque[float] = deque(maxlen=_CALLS_LOOKED_AT)
        self._gaps_ms: deque[float] = deque(maxlen=_CALLS_LOOKED_AT)

    @property
    def limit(self) -> int:
        """Most calls at once, now."""
        return self._own.limit if self._share is None else self._share

    @property
    def leads(self) -> bool:
        """Whether it is this process that finds out the endpoint's limit."""
        return self._leads

    @property
    def reason(self) -> str:
        """Why the limit is what it is."""
        if self._share is None:
            return self._learned_reason()
        others = self._holders - 1
        if others == 0:
            return f"{self._share} of {self._endpoint_limit}: the other runs have ended"
        whom = "another run" if others == 1 else f"{others} other runs"
        if self._share == 0:
            return f"0 of {self._endpoint_limit}: waits for a call of {whom} to end"
        return f"{self._share} of {self._endpoint_limit}: shared with {whom}"

    def call_started(self, now: float, in_flight: int) -> None:
        """A call was sent."""
        self._load(in_flight)
        self._now = now
        if self._leads:
            self._own.call_started(now, in_flight + self._others_in_flight)

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None:
        """Tokens of one of our streams arrived; those of others are taken to come as steadily as of late."""
        self._load(in_flight)
        self.tokens_total += tokens
        if self._leads:
            others = self._others_until(now)
            self._own.tokens_came(now, tokens + others, in_flight + self._others_in_flight)
        self._now = now

    def call_finished(self, sample: CallSample) -> None:
        """Learns from one of our calls, whatever its end."""
        self._load(max(0, sample.in_flight - 1))
        self._now = max(self._now, sample.ended_at_seconds)
        first = sample.time_to_first_token_seconds
        if first is not None and sample.failure is None:
            self._first_ms.append(first * 1000)
            if sample.tokens_out:
                self._gaps_ms.append((sample.duration_seconds - first) * 1000 / sample.tokens_out)
        if self._leads:
            total = sample.in_flight + self._others_in_flight
            self._own.call_finished(msgspec.structs.replace(sample, in_flight=total))

    def held_down(self, now: float, weight: float) -> None:
        """The machine leaves a part of the limit: of our share as of all others, so nobody gives any of it up."""
        self._weight = weight
        self._own.held_down(now, weight)

    def start(self, remembered: RememberedLimit | None, now: float) -> None:
        """Begins to learn, from what is remembered of the endpoint; also when the leadership falls to it."""
        self._remembered, self._remembered_at = remembered, now
        learned = None
        if remembered is not None:
            learned = Learned(limit=remembered.limit, tokens_per_second=remembered.tokens_per_second)
        self._own = self._learn(self.endpoint, learned)
        self._own.held_down(now, self._weight)
        self._start_reason = self._own.reason
        self._leads = True

    def wanted(self) -> int:
        """How many calls at once it could make use of: all, when it is as full as it may be."""
        if self._peak is None or self._was_full or not self._weight:
            return max(self._endpoint_limit, self._own.limit if self._leads else 0, 1)
        return math.ceil((self._peak + 1) / self._weight)

    def decide(self, leases: Sequence[Lease], now: datetime) -> Grant:
        """Takes its share, as far as others have given it back. Called in the heartbeat's thread."""
        place = next(at for at, lease in enumerate(leases) if lease.holder == self.holder)
        own = leases[place]
        # A holder that comes to lead goes on with the limit of the one before, until it has learned.
        may_lead = place == 0 and self._leads
        limit = self._own.limit if may_lead else max(1, leases[0].endpoint_limit or self._endpoint_limit)
        self._endpoint_limit, self._holders = limit, len(leases)
        if len(leases) == 1:
            if may_lead:
                self._share = None
            return Grant(limit, limit)
        turn = int(now.timestamp()) // TURN_SECONDS
        share = fair_shares(limit, [one.wanted for one in leases], turn, [one.weight for one in leases])[place]
        others = sum(lease.granted for lease in leases if lease.holder != self.holder)
        self._share = min(share, max(own.granted, takable(share, limit, others)))
        # Read after the share was taken: calls beyond it keep their place until they end.
        return Grant(max(self._share, self.in_flight), limit)

    def heard(self, leases: Sequence[Lease], now: float) -> bool:
        """Takes in what the others did; true when the leadership falls to this holder, which then must `start`."""
        self._peak, self._was_full = self.in_flight, self.in_flight >= self._held_limit
        must_start = leases[0].holder == self.holder and not self._leads
        self._leads = leases[0].holder == self.holder and self._leads
        others = {lease.holder: lease.tokens_total for lease in leases if lease.holder != self.holder}
        self._others_in_flight = sum(lease.in_flight for lease in leases if lease.holder in others)
        before = self._others
        self._others = (now, others)
        self._others_rate = 0.0
        if before is not None and now > before[0]:
            gained = sum(total - before[1].get(holder, total) for holder, total in others.items())
            self._others_rate = gained / (now - before[0])
        if self._leads and others:
            tokens = self._others_until(now)
            self._own.tokens_came(now, tokens, self.in_flight + self._others_in_flight)
        self._now = now
        return must_start

    def to_remember(self, address: str) -> RememberedLimit | None:
        """What is worth keeping of the endpoint; None when nothing is known or another holder keeps it."""
        learned = self._own.learned
        if not self._leads or learned is None:
            return None
        known = self._remembered
        reason = known.reason if known is not None and known.limit == learned.limit else ""
        if self._own.limit == learned.limit and self._own.reason != self._start_reason:
            reason = self._own.reason
        return RememberedLimit(
            endpoint=address,
            model=self.endpoint.model,
            limit=learned.limit,
            tokens_per_second=learned.tokens_per_second,
            p95_first_token_ms=p95(self._first_ms) if self._first_ms else None,
            p95_token_gap_ms=p95(self._gaps_ms) if self._gaps_ms else None,
            reason=reason,
        )

    @property
    def _held_limit(self) -> int:
        return held_limit(self.limit, self._weight)

    def _load(self, in_flight: int) -> None:
        self.in_flight = in_flight
        self._peak = max(self._peak or 0, in_flight)
        self._was_full = self._was_full or in_flight >= self._held_limit

    def _others_until(self, now: float) -> int:
        """Tokens of the others since the last event, at their rate between their last heartbeats."""
        if self._others_rate <= 0:
            return 0
        self._others_tokens += self._others_rate * max(0.0, now - self._now)
        whole = int(self._others_tokens)
        self._others_tokens -= whole
        return whole

    def _learned_reason(self) -> str:
        known, said = self._remembered, self._own.reason
        if known is None or said != self._start_reason or self._own.limit != known.limit:
            return said
        age = known.age_seconds + max(0.0, self._now - self._remembered_at)
        return f"{known.reason or said} (learned {ago(age)})"


def ago(seconds: float) -> str:
    """How long ago, in the largest unit that says something: `just now`, `3 min ago`, `2 days ago`."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= (2 * length if unit == "days" else length):
            return f"{int(seconds // length)} {unit} ago"
    return "just now"
