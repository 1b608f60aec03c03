"""What the engine knows of one endpoint while it runs: load, breaker, pauses, speed. No waiting happens here."""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Literal

import msgspec

from tip_resources.llm.breaker import Breaker
from tip_resources.llm.call import CallResult
from tip_resources.llm.dialect import Dialect
from tip_resources.llm.limiter import CallSample, Limiter
from tip_resources.llm.policy import backoff_seconds, rule_for
from tip_resources.llm.router import EndpointView
from tip_resources.llm.types import Endpoint, EngineNotice, Failure
from tip_resources.settings.models import EngineSettings

_SPEED_WEIGHT = 0.3  # of the newest call in the moving average
_PAUSE_WORTH_SAYING_SECONDS = 5.0

Standing = Literal["ready", "full", "paused", "broken", "out"]


class EndpointStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one endpoint stands, for people: `reason` says why it is not "ready"."""

    name: str
    url: str
    model: str
    standing: Standing
    reason: str
    in_flight: int
    limit: int
    calls: int
    items: int
    failures_by_kind: Mapping[str, int]
    limit_reason: str = ""
    tokens_per_second: float | None = None
    p50_call_ms: float | None = None
    p95_call_ms: float | None = None
    p95_first_token_ms: float | None = None


class EndpointState:
    """One endpoint in use. Times are seconds of the engine's clock."""

    def __init__(self, endpoint: Endpoint, limiter: Limiter, settings: EngineSettings) -> None:
        self.endpoint = endpoint
        self.dialect = Dialect()
        self.has_worked = False
        self.in_flight = 0
        self.out: Failure | None = None
        self._limiter = limiter
        self._breaker = Breaker(failures_to_open=settings.breaker_failures, open_seconds=settings.breaker_seconds)
        self._paused_until = 0.0
        self._paused_at = 0.0
        self._is_pause_asked = False  # the server named the time itself
        self._overloads = 0
        self._last_failure: Failure | None = None
        self._seconds_per_token: float | None = None
        self._calls = self._items = 0
        self._failures: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.endpoint.name

    @property
    def limit(self) -> int:
        """Most calls at once, now."""
        return self._limiter.limit

    @property
    def last_failure(self) -> Failure | None:
        """Why it is not usable, as far as a failure says."""
        return self.out or self._last_failure

    def may_start(self, now: float) -> bool:
        """Whether a call could start now, were there room."""
        return self.out is None and now >= self._paused_until and self._breaker.admits(now)

    def is_hopeful(self, now: float) -> bool:
        """Whether it works, or is being tried right now."""
        return self.out is None and now >= self._paused_until and self._breaker.state(now) != "open"

    def has_room(self) -> bool:
        """Whether it is below its limit."""
        return self.in_flight < self.limit

    def usable_at(self, now: float) -> float | None:
        """The moment in the future when it may be usable again; None when no such moment is known."""
        if self.out is not None:
            return None
        moments = (self._paused_until, self._breaker.opens_again_at or 0.0)
        return latest if (latest := max(moments)) > now else None

    def view(self) -> EndpointView:
        """What the router sees."""
        return EndpointView(
            name=self.name,
            in_flight=self.in_flight,
            limit=max(1, self.limit),
            seconds_per_token=self._seconds_per_token,
        )

    def status(self, now: float) -> EndpointStatus:
        """How it stands."""
        standing: Standing = "ready" if self.has_room() else "full"
        reason = "" if self.has_room() else f"{self.in_flight} calls in flight"
        if self.out is not None:
            standing, reason = "out", self.out.detail
        elif now < self._paused_until:
            standing = "paused"
            reason = f"asked to wait {self._paused_until - now:.0f} s more: {self._said()}"
        elif self._breaker.state(now) != "closed":
            standing = "broken"
            reason = f"failed {self._breaker.failures} times in a row: {self._said()}"
        return EndpointStatus(
            name=self.name,
            url=self.endpoint.url,
            model=self.endpoint.model,
            standing=standing,
            reason=reason,
            in_flight=self.in_flight,
            limit=self.limit,
            calls=self._calls,
            items=self._items,
            failures_by_kind=dict(self._failures),
            limit_reason=self._limiter.reason,
        )

    def call_started(self, now: float) -> None:
        """A call is about to be sent."""
        self.in_flight += 1
        self._limiter.call_started(now, self.in_flight)
        self._breaker = self._breaker.call_started(now)

    def call_abandoned(self) -> None:
        """A call was cancelled: it tells nothing."""
        self.in_flight -= 1
        self._breaker = self._breaker.call_abandoned()

    def came_alive(self) -> EngineNotice | None:
        """The first token of a call arrived."""
        was_open, self._breaker = self._breaker.opened_at is not None, self._breaker.came_alive()
        if was_open and self._breaker.opened_at is None:
            return EngineNotice(kind="endpoint_back", endpoint=self.name, reason=f"{self.name} answers again.")
        return None

    def call_finished(
        self, result: CallResult, tokens_asked: int, now: float, chance: random.Random
    ) -> EngineNotice | None:
        """Learns from a call that has ended; returns what an operator should hear about it."""
        failure = result.failure
        self.in_flight -= 1
        self.dialect = result.dialect if result.time_to_first_token_seconds is not None else self.dialect
        self._calls += 1
        self._items += result.items
        self._limiter.call_finished(_sample(result, self.in_flight + 1))
        if failure is not None:
            self._failures[failure.kind] += 1
        effect = "none" if failure is None else rule_for(failure).effect
        if failure is None or effect == "none":
            return self._worked(result, tokens_asked)
        self._last_failure = failure
        if effect == "out":
            self.out = failure
            return EngineNotice(kind="endpoint_out", endpoint=self.name, reason=failure.detail, failure=failure.kind)
        if effect == "pause":
            return self._pause(failure, result.started_at_seconds, now, chance)
        was_open, self._breaker = self._breaker.state(now) == "open", self._breaker.failed(now)
        if was_open or self._breaker.state(now) != "open":
            return None
        reason = f"{self.name} is left alone for {self._breaker.open_seconds:g} s: {failure.detail}"
        return EngineNotice(kind="endpoint_out", endpoint=self.name, reason=reason, failure=failure.kind)

    def _worked(self, result: CallResult, tokens_asked: int) -> EngineNotice | None:
        notice = self.came_alive()
        self._breaker = self._breaker.succeeded()
        self.has_worked = True
        self._overloads = 0
        if not self._is_pause_asked:
            self._paused_until = 0.0  # a slot has become free, whatever we guessed
        if result.failure is None:
            pace = result.duration_seconds / max(1, tokens_asked)
            known = self._seconds_per_token
            self._seconds_per_token = pace if known is None else known + _SPEED_WEIGHT * (pace - known)
        return notice

    def _pause(self, failure: Failure, started_at: float, now: float, chance: random.Random) -> EngineNotice | None:
        """Not now: for as long as the server asks, or longer each time. Calls refused together count once."""
        if started_at >= self._paused_at:
            self._overloads += 1
        asked = failure.retry_after_seconds
        seconds = backoff_seconds(self._overloads, chance) if asked is None else asked
        self._is_pause_asked = asked is not None
        self._paused_at = now
        self._paused_until = max(self._paused_until, now + seconds)
        self._breaker = self._breaker.call_abandoned()
        if seconds < _PAUSE_WORTH_SAYING_SECONDS:
            return None
        reason = f"{self.name} gets no calls for {seconds:.0f} s: {failure.detail}"
        return EngineNotice(kind="endpoint_paused", endpoint=self.name, reason=reason, failure=failure.kind)

    def _said(self) -> str:
        return self._last_failure.detail if self._last_failure is not None else "no reason known"


def _sample(result: CallResult, in_flight: int) -> CallSample:
    return CallSample(
        failure=None if result.failure is None else result.failure.kind,
        started_at_seconds=result.started_at_seconds,
        duration_seconds=result.duration_seconds,
        time_to_first_token_seconds=result.time_to_first_token_seconds,
        characters_out=len(result.raw_text),
        tokens_out=result.tokens_out,
        in_flight=in_flight,
        ended_at_seconds=result.started_at_seconds + result.duration_seconds,
    )
