"""Hands endpoints to calls: who waits, who is next, and what is said when nobody can be asked.

Twins of calls that hang go first, then calls that were tried before. When no endpoint is usable the calls wait, with
the reason told, and are given up after `engine.unavailable_limit_seconds`; when all are out for good, at once. For
endpoints whose machines are merely held back (machines.py) they wait as long as it takes.
"""

import asyncio
import bisect
import itertools
import random
from collections.abc import Callable, Sequence

from tip_resources.llm import twins
from tip_resources.llm.backlog import Backlog
from tip_resources.llm.call import CallResult
from tip_resources.llm.clock import Clock
from tip_resources.llm.endpoint_state import EndpointState, EndpointStatus
from tip_resources.llm.flight import Flight
from tip_resources.llm.machine_standing import StandingOf
from tip_resources.llm.machines import Machines
from tip_resources.llm.need import Need, NobodyLeft, Waiter
from tip_resources.llm.outage import Outage, no_endpoint
from tip_resources.llm.policy import rule_for
from tip_resources.llm.remaining import seconds_of_the_rest
from tip_resources.llm.router import EndpointView, choose
from tip_resources.llm.types import EngineNotice
from tip_resources.settings.models import EngineSettings

# Requests held for each call in flight: those that wait out a backoff must not keep the endpoints idle.
_REQUESTS_PER_SLOT = 2
_LOOK_SECONDS = 0.1  # between two looks for calls that hang
_LATE_SECONDS = 0.05  # a look that comes later says that our own process stood still
_LOOK_SECONDS_PER_CALL = 0.001  # hundreds of streams are looked at less often


class Pool:
    """The endpoints of one engine and the calls that wait for them."""

    def __init__(
        self,
        states: Sequence[EndpointState],
        settings: EngineSettings,
        clock: Clock,
        chance: random.Random,
        on_notice: Callable[[EngineNotice], None],
        standing_of: StandingOf | None = None,
    ) -> None:
        self.backlog = Backlog()
        self._states = states
        self._may_hedge = settings.hedge
        self._clock = clock
        self._chance = chance
        self._notify = on_notice
        self._waiters: list[Waiter] = []
        self._order = itertools.count()
        self._outage = Outage(settings.unavailable_limit_seconds)
        self._machines = Machines(states, standing_of, on_notice)
        self._timer: asyncio.Task[None] | None = None
        self._timer_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._watch_due = 0.0
        self._rest: dict[tuple[str, int], float | None] = {}
        self._room = 0  # as it was last told to the runs

    @property
    def room(self) -> int:
        """Calls that all endpoints together would take at once."""
        return sum(state.limit for state in self._states if state.out is None)

    @property
    def most_held(self) -> int:
        """Requests that may be held at once, sent or waiting.

        None are taken while all limits are 0, as they are until other runs give back what is ours: how large a
        request had best be shows only when there is room. With all endpoints out it is taken, to be told why.
        """
        room = self.room
        if room == 0 and any(state.may_get_room for state in self._states):
            return 0
        return max(1, _REQUESTS_PER_SLOT * room)

    @property
    def _waits_for_a_machine(self) -> bool:
        return self._machines.hold_some and (bool(self._waiters) or self.backlog.is_open)

    def status(self) -> tuple[EndpointStatus, ...]:
        """How each endpoint stands."""
        now = self._clock.now()
        return tuple(state.status(now) for state in self._states)

    def has_other(self, need: Need) -> bool:
        """Whether an endpoint that is neither barred nor to be avoided works."""
        now = self._clock.now()
        return any(state.is_hopeful(now) and state.name not in need.barred | need.avoid for state in self._states)

    async def acquire(self, need: Need) -> Flight:
        """Waits for an endpoint; its call counts as started.

        Raises:
            NobodyLeft: None of them can answer this request.
        """
        waiter = Waiter(need, next(self._order))
        bisect.insort(self._waiters, waiter, key=lambda other: other.rank)
        self.wake()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled() and not waiter.future.exception():
                self.abandon(waiter.future.result())
            raise
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def tokens_came(self, flight: Flight, tokens: int) -> None:
        """A call spoke."""
        is_first, was_suspect = flight.first_token_at is None, flight.is_suspect
        self._tell(flight.state.tokens_came(flight, tokens, self._clock.now(), _loop_now()))
        if was_suspect and len(flight.need.flights) > 1:
            self._settle(flight.need)
        if is_first or was_suspect:
            self._end_outage()
            self.wake()

    def _settle(self, need: Need) -> None:
        """A silent call speaks again while its twin is under way: only the one that will end sooner goes on."""
        left = {flight: flight.state.measures.seconds_left(flight) for flight in need.flights if not flight.is_suspect}
        known = {flight: seconds for flight, seconds in left.items() if seconds is not None}
        if known:
            need.on_settled(min(known, key=lambda flight: known[flight]))

    def finish(self, flight: Flight, result: CallResult) -> None:
        """A call has ended."""
        flight.need.flights.discard(flight)
        # Before anything is given out: another call of this request may still wait to be cancelled.
        flight.need.is_settled |= result.failure is None
        self._tell(flight.state.call_finished(flight, result, self._clock.now(), _loop_now(), self._chance))
        if result.failure is None or rule_for(result.failure).effect == "none":
            self._end_outage()
        self.wake()

    def moved(self, flight: Flight, items: int) -> None:
        """A call was taken off its machine, after it had given so many items."""
        flight.need.flights.discard(flight)
        flight.state.call_moved(flight, items)
        self.wake()

    def abandon(self, flight: Flight) -> None:
        """A call was cancelled."""
        flight.need.flights.discard(flight)
        flight.state.call_abandoned(flight)
        self.wake()

    def wake(self) -> None:
        """Something changed: gives out what can be given out."""
        now = self._clock.now()
        self._rest.clear()
        self._machines.read(now)
        self._machines.move_calls(now)
        if self._room != self.room:
            self._room = self.room
            self.backlog.room_changed()
        self._send_twins_of_suspects(now)
        for waiter in list(self._waiters):
            if waiter.future.done():
                continue
            if not any(state.may_start(now) and state.has_room(now) for state in self._states):
                break
            if state := self._pick(waiter.need, now):
                self._waiters.remove(waiter)
                waiter.future.set_result(self._begin(state, waiter.need, now))
        self._steal_slow_calls(now)
        self._give_up_the_hopeless(now)
        self._machines.say_why_calls_wait(now, self._waiters, is_source_held=not self._room and self.backlog.is_open)
        self._set_timer(now)
        self._keep_watching()

    def follow(self, settings: EngineSettings) -> None:
        """These hold from now on."""
        self._may_hedge = settings.hedge
        self._outage.limit_seconds = settings.unavailable_limit_seconds
        for state in self._states:
            state.follow(settings)
        self.wake()

    async def aclose(self) -> None:
        """Stops the timers."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)

    def _begin(self, state: EndpointState, need: Need, now: float, *, is_twin: bool = False) -> Flight:
        flight = Flight(state, need, _loop_now())
        flight.is_twin = is_twin
        need.flights.add(flight)
        state.call_started(flight, now)
        return flight

    def _pick(self, need: Need, now: float) -> EndpointState | None:
        allowed = {state.name: state for state in self._states if state.name not in need.barred}
        usable = [state for state in allowed.values() if state.may_start(now)]
        preferred = [state for state in usable if state.name not in need.avoid]
        # Only where no other endpoint works is the one that failed just now asked again.
        views = [self._view(state, need, now) for state in (preferred or usable) if state.has_room(now)]
        choice = choose(views)
        return None if choice is None else allowed[choice.name]

    def _view(self, state: EndpointState, need: Need, now: float) -> EndpointView:
        return EndpointView(
            name=state.name,
            in_flight=state.busy,
            limit=max(1, state.limit),
            seconds=state.seconds_for(need.tokens),
            weight=state.standing.weight,
            is_trial=state.is_trial(now),
            others_seconds=None if need.barred else self._seconds_of_the_rest(state, need, now),
        )

    def _seconds_of_the_rest(self, state: EndpointState, need: Need, now: float) -> float | None:
        """Of all others; looked up once for each round of choices."""
        key = (state.name, need.tokens)
        if key not in self._rest:
            others = [other for other in self._states if other is not state and other.may_start(now)]
            untaken = self.backlog.left
            left = None if untaken is None else untaken + len(self._waiters)
            self._rest[key] = seconds_of_the_rest(others, left, need.tokens)
        return self._rest[key]

    def _send_twins_of_suspects(self, now: float) -> None:
        flights = [flight for state in self._states for flight in state.flights]
        if not any(flight.is_suspect for flight in flights):
            return
        for flight in twins.hopeless(flights, _loop_now()):
            flight.need.on_given_up(flight)
        has_healthy = any(state.may_start(now) and not state.is_stalled for state in self._states)
        while twin := twins.for_suspects(
            flights, [state for state in self._free(now) if not (has_healthy and state.is_stalled)]
        ):
            self._send_twin(twin, now)

    def _steal_slow_calls(self, now: float) -> None:
        """When nothing waits and nothing will come, free endpoints take over what slow ones hold."""
        if not self._may_hedge or self._waiters or self.backlog.left != 0 or len(self._states) < 2:
            return
        flights = [flight for state in self._states for flight in state.flights]
        while flights and (twin := twins.for_slow(flights, self._free(now))):
            self._send_twin(twin, now)

    def _send_twin(self, twin: twins.Twin, now: float) -> None:
        need = twin.flight.need
        what = "has gone silent" if twin.flight.is_suspect else "is slow"
        reason = f"A call on {twin.flight.state.name} {what}: {twin.state.name} is asked as well."
        self._notify(EngineNotice(kind="twin", endpoint=twin.state.name, reason=reason))
        need.on_twin(self._begin(twin.state, need, now, is_twin=True))

    def _free(self, now: float) -> list[EndpointState]:
        return [state for state in self._states if state.may_start(now) and state.has_room(now)]

    def _keep_watching(self) -> None:
        count = sum(len(state.flights) for state in self._states)
        if self._watch is None and (count or self._waits_for_a_machine):
            seconds = max(_LOOK_SECONDS, count * _LOOK_SECONDS_PER_CALL)
            self._watch_due = _loop_now() + seconds
            self._watch = asyncio.get_running_loop().call_at(self._watch_due, self._look)

    def _look(self) -> None:
        """Looks for calls that hang and at the machines; runs as long as calls are under way or wait for a machine."""
        self._watch = None
        now, loop_now = self._clock.now(), _loop_now()
        late = loop_now - self._watch_due
        for state in self._states:
            if late > _LATE_SECONDS:
                state.excuse_silence(late)
            else:
                self._tell(state.look_for_suspects(now, loop_now))
        is_news = self._machines.read(now) or self._room != self.room
        if is_news or not self._waiters or any(state.has_suspects for state in self._states):
            self.wake()
        else:
            self._keep_watching()

    def _give_up_the_hopeless(self, now: float) -> None:
        is_some_out = any(state.out is not None for state in self._states)
        for waiter in list(self._waiters):
            if not is_some_out and not waiter.need.barred:
                continue
            allowed = [state for state in self._states if state.name not in waiter.need.barred]
            if all(state.out is not None for state in allowed):
                nobody = NobodyLeft(no_endpoint(allowed or self._states, ""), is_exhausted=not allowed)
                self._refuse(waiter, nobody)
        # A call in flight is a sign of life, until its silence is noticed.
        if self._waiters and not any(state.in_flight or state.is_hopeful(now) for state in self._states):
            if self._machines.hold_some:
                self._outage.does_not_count()
            else:
                self._outage_goes_on(now)

    def _outage_goes_on(self, now: float) -> None:
        """Calls wait and no endpoint works."""
        moments = [at for state in self._states if (at := state.usable_at(now)) is not None]
        if notice := self._outage.goes_on(now, min(moments, default=now), self._states):
            self._notify(notice)
        if (lasted := self._outage.has_lasted_too_long(now)) is not None:
            for waiter in list(self._waiters):
                self._refuse(waiter, NobodyLeft(no_endpoint(self._states, f" for {lasted:.0f} s")))

    def _end_outage(self) -> None:
        self._tell(self._outage.end(self._clock.now()))

    def _refuse(self, waiter: Waiter, nobody: NobodyLeft) -> None:
        self._waiters.remove(waiter)
        if not waiter.future.done():
            waiter.future.set_exception(nobody)

    def _tell(self, notice: EngineNotice | None) -> None:
        if notice is not None:
            self._notify(notice)

    def _set_timer(self, now: float) -> None:
        """Wakes the pool when a pause or an open breaker ends, or patience does."""
        moments = [at for state in self._states if (at := state.usable_at(now)) is not None]
        if self._outage.ends_at is not None:
            moments.append(self._outage.ends_at)
        upcoming = min((at for at in moments if at > now), default=None)
        if not self._waiters or upcoming is None:
            return
        if self._timer is not None and not self._timer.done():
            if self._timer_at <= upcoming:
                return
            self._timer.cancel()
        self._timer_at = upcoming
        self._timer = asyncio.create_task(self._wake_at(upcoming))

    async def _wake_at(self, moment: float) -> None:
        await self._clock.sleep(moment - self._clock.now())
        self._timer = None
        self.wake()


def _loop_now() -> float:
    return asyncio.get_running_loop().time()
