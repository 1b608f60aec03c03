"""How many calls one endpoint gets at once. The engine asks `limit` before every call and reports what happens.

A limiter learns from tokens as they stream and from calls as they end; one whose limit changes by other news
(leases) says so through `RequestEngine.wake`. Times are seconds of the engine's clock.
"""

from typing import Protocol

import msgspec

from tip_resources.llm.types import Endpoint, FailureKind


class CallSample(msgspec.Struct, frozen=True, kw_only=True):
    """What one finished call showed. Times are seconds; unknown is None; `in_flight` counts it too.

    `is_outage` says that it failed because the endpoint is away, which is no matter of how many calls it gets.
    """

    failure: FailureKind | None
    started_at_seconds: float
    duration_seconds: float
    time_to_first_token_seconds: float | None
    characters_out: int
    tokens_out: int | None
    in_flight: int
    ended_at_seconds: float = 0.0
    is_outage: bool = False


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about one endpoint and model, kept for the next run."""

    limit: int
    tokens_per_second: float


class Limiter(Protocol):
    """The concurrency of one endpoint."""

    @property
    def limit(self) -> int:
        """Most calls at once, now; 0 holds the endpoint back."""
        ...

    @property
    def reason(self) -> str:
        """Why the limit is what it is, in words an operator would use."""
        ...

    def call_started(self, now: float, in_flight: int) -> None:
        """A call was sent; `in_flight` counts it too."""
        ...

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None:
        """Some tokens of a call arrived (pieces of its stream, which servers send one token each)."""
        ...

    def call_finished(self, sample: CallSample) -> None:
        """Learns from one call, whatever its end."""
        ...

    def held_down(self, now: float, weight: float) -> None:
        """From now on the endpoint's machine leaves this share of the limit (1 is all of it): told when it changes.

        The engine applies it. What is seen below 1 says nothing about how many calls the server could take.
        """
        ...


class FixedLimiter:
    """The same limit always: what the settings say."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    @property
    def limit(self) -> int:
        """The limit it was made with."""
        return self._limit

    @property
    def reason(self) -> str:
        """A setting, not a finding."""
        return "set in the settings"

    def call_started(self, now: float, in_flight: int) -> None:
        """A fixed limit learns nothing."""

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None:
        """A fixed limit learns nothing."""

    def call_finished(self, sample: CallSample) -> None:
        """A fixed limit learns nothing."""

    def held_down(self, now: float, weight: float) -> None:
        """A fixed limit learns nothing."""


def fixed_limiter(endpoint: Endpoint) -> Limiter:
    """The limiter of an endpoint whose concurrency is a setting."""
    return FixedLimiter(endpoint.concurrency)
