"""The time in which calls wait and no endpoint works: what is said about it, and when it has lasted too long."""

from collections.abc import Sequence

from tip_resources.llm.endpoint_state import EndpointState
from tip_resources.llm.machine_standing import no_calls
from tip_resources.llm.types import EngineNotice, Failure, FailureKind

_WORTH_SAYING_SECONDS = 5.0


class Outage:
    """Of one engine. Times are seconds of its clock; `limit_seconds` is how long calls wait."""

    def __init__(self, limit_seconds: float) -> None:
        self.limit_seconds = limit_seconds
        self._since: float | None = None
        self._is_told = False

    @property
    def ends_at(self) -> float | None:
        """When patience ends; None while some endpoint works."""
        return None if self._since is None else self._since + self.limit_seconds

    def has_lasted_too_long(self, now: float) -> float | None:
        """How long it has lasted when that is too long; None before."""
        if self._since is None or now - self._since < self.limit_seconds:
            return None
        return now - self._since

    def goes_on(self, now: float, next_moment: float, states: Sequence[EndpointState]) -> EngineNotice | None:
        """No endpoint works now, and none before `next_moment`; returns what is worth saying, once."""
        if self._since is None:
            self._since = now
        if self._is_told or next_moment - self._since < _WORTH_SAYING_SECONDS:
            return None
        self._is_told = True
        failure = no_endpoint(states, "")
        reason = f"{failure.detail} Waiting up to {self.limit_seconds:.0f} s (engine.unavailable_limit_seconds)."
        return EngineNotice(kind="waiting", reason=reason, failure=failure.kind)

    def does_not_count(self) -> None:
        """Calls wait for a machine that is held back, not for a server that is broken: patience begins anew."""
        self._since, self._is_told = None, False

    def end(self, now: float) -> EngineNotice | None:
        """An endpoint works; returns what should be said if the outage was told."""
        since, was_told = self._since, self._is_told
        self._since, self._is_told = None, False
        if since is None or not was_told:
            return None
        return EngineNotice(kind="resumed", reason=f"Calls go on after {now - since:.0f} s.")


def no_endpoint(states: Sequence[EndpointState], how_long: str) -> Failure:
    """All of them are unusable: each with its reason."""
    failures = [state.last_failure for state in states if state.last_failure is not None]
    held = [f"{state.name}: {no_calls(state.standing)}." for state in states if state.is_held]
    reasons = " | ".join([*(failure.detail for failure in failures), *held]) or "no reason is known."
    kind: FailureKind = failures[0].kind if failures else "connect"
    return Failure(kind=kind, detail=f"No endpoint could be used{how_long}: {reasons}")
