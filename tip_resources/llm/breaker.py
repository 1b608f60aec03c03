"""The circuit breaker of one endpoint, as a value: every event gives the next breaker.

Closed lets calls through; failures in a row open it; after a pause one call goes on trial, and the endpoint
is back the moment that call brings a token. The pause is short at first, so that an endpoint that returns is
used soon, and doubles with every trial that fails. Overload (429, 503) never comes here: it only delays.
"""

from typing import Literal

import msgspec

FIRST_PAUSE_SECONDS = 0.25

BreakerState = Literal["closed", "open", "half_open", "on_trial"]


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """State of one breaker. Times are seconds of the engine's clock; `open_seconds` is the longest pause."""

    failures_to_open: int
    open_seconds: float
    failures: int = 0
    trips: int = 0
    pause_seconds: float = 0.0
    opened_at: float | None = None
    is_on_trial: bool = False

    def state(self, now: float) -> BreakerState:
        """What the breaker does at `now`."""
        if self.opened_at is None:
            return "closed"
        if self.is_on_trial:
            return "on_trial"
        return "open" if now < self.opened_at + self.pause_seconds else "half_open"

    def admits(self, now: float) -> bool:
        """Whether a call may start at `now`."""
        return self.state(now) in ("closed", "half_open")

    @property
    def opens_again_at(self) -> float | None:
        """When an open breaker will let a trial through; None when it is closed or on trial."""
        if self.opened_at is None or self.is_on_trial:
            return None
        return self.opened_at + self.pause_seconds

    def call_started(self, now: float) -> "Breaker":
        """A call was sent: after a pause it is the one on trial."""
        return msgspec.structs.replace(self, is_on_trial=True) if self.state(now) == "half_open" else self

    def call_abandoned(self) -> "Breaker":
        """A call ended without telling anything about the endpoint: another may go on trial."""
        return msgspec.structs.replace(self, is_on_trial=False)

    def came_alive(self) -> "Breaker":
        """A token arrived: a call on trial closes the breaker, but one more failure opens it again."""
        if not self.is_on_trial:
            return self
        return msgspec.structs.replace(
            self, opened_at=None, is_on_trial=False, failures=max(0, self.failures_to_open - 1)
        )

    def succeeded(self) -> "Breaker":
        """A call ended well."""
        return msgspec.structs.replace(self, opened_at=None, is_on_trial=False, failures=0, trips=0)

    def failed(self, now: float, longest_pause: float | None = None) -> "Breaker":
        """A call failed through the endpoint's fault. Calls that were under way when it opened count no more."""
        if self.state(now) == "open":
            return self
        if self.opened_at is not None or self.failures + 1 >= self.failures_to_open:
            return self.tripped(now, longest_pause)
        return msgspec.structs.replace(self, failures=self.failures + 1)

    def tripped(self, now: float, longest_pause: float | None = None) -> "Breaker":
        """Opened at once, without counting. `longest_pause` bounds the pause where calls are known to be short."""
        longest = self.open_seconds if longest_pause is None else min(self.open_seconds, longest_pause)
        return msgspec.structs.replace(
            self,
            failures=self.failures_to_open,
            trips=self.trips + 1,
            pause_seconds=min(longest, FIRST_PAUSE_SECONDS * 2.0 ** min(self.trips, 16)),
            opened_at=now,
            is_on_trial=False,
        )
