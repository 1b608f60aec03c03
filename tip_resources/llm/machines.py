"""The machines behind the endpoints of one engine: how they stand is read here, calls are moved off them, and what is
said while calls wait for one. How they stand is told by others (machine_standing.py); who gets calls, by pool.py.

Calls that wait for a machine are not given up, however long it takes. Times are seconds of the engine's clock.
"""

from collections.abc import Callable, Iterable, Sequence

from tip_resources.llm.endpoint_state import EndpointState
from tip_resources.llm.flight import Flight
from tip_resources.llm.machine_standing import StandingOf, no_calls
from tip_resources.llm.need import Waiter
from tip_resources.llm.types import EngineNotice


class Machines:
    """Of one engine. `notify` takes what an operator should hear."""

    def __init__(
        self,
        states: Sequence[EndpointState],
        standing_of: StandingOf | None,
        notify: Callable[[EngineNotice], None],
    ) -> None:
        self._states = states
        self._standing_of = standing_of
        self._notify = notify
        self._waiting_since: float | None = None

    @property
    def hold_some(self) -> bool:
        """Whether an endpoint takes no calls for the sake of its machine, which will be back."""
        return any(state.is_waited_for for state in self._states)

    def read(self, now: float) -> bool:
        """How all of them stand; whether that has changed for the calls."""
        if self._standing_of is None:
            return False
        has_changed = False
        for state in self._states:
            before, standing = state.standing, self._standing_of(state.endpoint)
            has_changed |= (standing.weight, standing.moves_calls) != (before.weight, before.moves_calls)
            if notice := state.take_standing(standing, now):
                self._notify(notice)
        return has_changed

    def move_calls(self, now: float) -> None:
        """Has the calls in flight asked elsewhere, where a machine is needed."""
        for state in self._states:
            if state.standing.moves_calls:
                for flight in list(state.flights):
                    if not state.standing.only_elsewhere or self._works_elsewhere(flight, now):
                        flight.need.on_moved(flight)

    def _works_elsewhere(self, flight: Flight, now: float) -> bool:
        others = (state for state in self._states if state is not flight.state)
        return any(other.may_start(now) and other.name not in flight.need.barred for other in others)

    def say_why_calls_wait(self, now: float, waiters: Iterable[Waiter], *, is_source_held: bool) -> None:
        """Once, when the endpoints that some calls need are all held or broken; and once when they go on.

        Args:
            now: The engine's time.
            waiters: Requests that wait for an endpoint.
            is_source_held: No requests are taken at all.
        """
        if not self.hold_some and self._waiting_since is None:
            return
        groups = [[state for state in self._states if state.name not in waiter.need.barred] for waiter in waiters]
        if is_source_held:
            groups.append(list(self._states))
        stuck = next((group for group in groups if _hold_all(group, now)), None)
        if stuck is None:
            self._go_on(now, was_given_up=not groups and _hold_all(self._states, now))
        elif self._waiting_since is None:
            self._waiting_since = now
            reason = f"Calls wait until a machine is free. {_reasons(stuck)}"
            self._notify(EngineNotice(kind="waiting", reason=reason))

    def _go_on(self, now: float, *, was_given_up: bool) -> None:
        since, self._waiting_since = self._waiting_since, None
        if since is not None and not was_given_up:
            self._notify(EngineNotice(kind="resumed", reason=f"Calls go on after {now - since:.0f} s."))


def _hold_all(states: Sequence[EndpointState], now: float) -> bool:
    """Whether none of these endpoints takes calls, but some would if their machines were free."""
    works = any(state.is_hopeful(now) or (state.in_flight and not state.is_held) for state in states)
    return not works and any(state.is_waited_for for state in states)


def _reasons(states: Sequence[EndpointState]) -> str:
    said = []
    for state in states:
        if state.is_held:
            said.append(f"{state.name}: {no_calls(state.standing)}.")
        elif state.last_failure is not None:
            said.append(f"{state.name}: {state.last_failure.detail}")
    return " | ".join(said)
