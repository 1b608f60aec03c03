"""What the engine knows of one endpoint while it runs: load, breaker, pauses, speed. No waiting happens here."""

import random
from collections import Counter

import msgspec

from tip_resources.llm.breaker import Breaker
from tip_resources.llm.call import CallResult
from tip_resources.llm.dialect import Dialect
from tip_resources.llm.endpoint_status import EndpointStatus, Standing
from tip_resources.llm.flight import Flight
from tip_resources.llm.limiter import CallSample, Limiter
from tip_resources.llm.machine_standing import WELL, MachineStanding, held_limit, no_calls, turned
from tip_resources.llm.measures import Measures
from tip_resources.llm.overload import Slots
from tip_resources.llm.policy import backoff_seconds, rule_for
from tip_resources.llm.speed import Lengths
from tip_resources.llm.suspicion import look
from tip_resources.llm.types import Endpoint, EngineNotice, Failure
from tip_resources.settings.models import EngineSettings

_PAUSE_WORTH_SAYING_SECONDS = 5.0
_LEAST_SUSPECTS_BESIDE_THE_LIMIT = 2
_PAID_TIER = "openai"
_ISOLATED_FAILURES = 2  # in a row, on an endpoint that otherwise works
_LEAST_PAUSE_SECONDS = 0.25
_PAUSE_PER_CALL = 0.25  # a broken endpoint is tried again after a quarter of a usual call at the latest


class EndpointState:
    """One endpoint in use. Times are seconds of the engine's clock, `loop_now` those of the event loop."""

    def __init__(
        self, endpoint: Endpoint, limiter: Limiter, settings: EngineSettings, lengths: Lengths | None = None
    ) -> None:
        self.endpoint = endpoint
        self.dialect = Dialect()
        self.has_worked = False
        self.flights: set[Flight] = set()
        self._suspects: set[Flight] = set()
        self.out: Failure | None = None
        self.standing = WELL
        self.is_stalled = False
        self.measures = Measures(lengths or Lengths())
        self._limiter = limiter
        self._settings = settings
        self._breaker = Breaker(failures_to_open=settings.breaker_failures, open_seconds=settings.breaker_seconds)
        self._slots = Slots()
        self._paused_until = 0.0
        self._paused_at = 0.0
        self._is_pause_asked = False  # the server named the time itself
        self._overloads = 0
        self._last_failure: Failure | None = None
        self._calls = self._items = self._twins = self._whole = 0
        self._failures: Counter[str] = Counter()

    def follow(self, settings: EngineSettings) -> None:
        """These hold from now on; a breaker that is open opens again when it was to."""
        self._settings = settings
        self._breaker = msgspec.structs.replace(
            self._breaker, failures_to_open=settings.breaker_failures, open_seconds=settings.breaker_seconds
        )

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.endpoint.name

    @property
    def limit(self) -> int:
        """Most calls at once, now: what the limiter says, as far as the machine allows it."""
        return held_limit(self._limiter.limit, self.standing.weight)

    @property
    def is_held(self) -> bool:
        """Whether nothing but the state of its machine keeps it from being asked."""
        return self.out is None and not self.standing.takes_calls

    @property
    def may_get_room(self) -> bool:
        """Whether its limit may rise from 0: it is not out, nor on a machine that is lost."""
        return self.out is None and (self.standing.takes_calls or self.standing.is_waited_for)

    @property
    def is_waited_for(self) -> bool:
        """Whether its machine is only held back: not for ever, then."""
        return self.is_held and self.standing.is_waited_for

    @property
    def in_flight(self) -> int:
        """Calls under way, those that hang too."""
        return len(self.flights)

    @property
    def busy(self) -> int:
        """Calls that take a place of the limit: a few that hang do not."""
        if not self._suspects:
            return len(self.flights)
        return len(self.flights) - min(len(self._suspects), max(_LEAST_SUSPECTS_BESIDE_THE_LIMIT, self.limit // 2))

    @property
    def has_suspects(self) -> bool:
        """Whether a call here has been silent for too long."""
        return bool(self._suspects)

    @property
    def last_failure(self) -> Failure | None:
        """Why it is not usable, as far as a failure says."""
        return self.out or self._last_failure

    def may_start(self, now: float) -> bool:
        """Whether a call could start now, were there room."""
        is_free = self.out is None and self.standing.takes_calls
        return is_free and now >= self._paused_until and self._breaker.admits(now)

    def is_hopeful(self, now: float) -> bool:
        """Whether it works, or is being tried right now."""
        is_away = self.out is not None or not self.standing.takes_calls or now < self._paused_until
        return not is_away and self._breaker.state(now) != "open"

    def is_trial(self, now: float) -> bool:
        """Whether the next call would tell if it is back."""
        return self._breaker.state(now) == "half_open"

    def is_healthy(self, now: float) -> bool:
        """Whether a failure here is an accident: whole answers came, and not all calls fail now."""
        return self._whole > 0 and self._breaker.failures <= _ISOLATED_FAILURES and self._breaker.state(now) == "closed"

    def has_room(self, now: float) -> bool:
        """Whether it is below its limit."""
        return self.busy < self.limit and self._slots.has_room(now, self.in_flight)

    def usable_at(self, now: float) -> float | None:
        """The moment in the future when it may be usable again; None when no such moment is known."""
        if self.out is not None or not self.standing.takes_calls:
            return None
        moments = (self._paused_until, self._breaker.opens_again_at or 0.0)
        return latest if (latest := max(moments)) > now else self._slots.tries_again_at(now, self.in_flight)

    def seconds_for(self, allowed_tokens: int) -> float | None:
        """How long a new call would take here; None until something was measured."""
        return self.measures.seconds_for(allowed_tokens)

    def status(self, now: float) -> EndpointStatus:
        """How it stands."""
        standing: Standing = "ready" if self.has_room(now) else "full"
        reason = "" if self.has_room(now) else f"{self.in_flight} calls in flight"
        if self.out is not None:
            standing, reason = "out", self.out.detail
        elif not self.standing.takes_calls:
            standing, reason = "paused", no_calls(self.standing)
        elif now < self._paused_until:
            standing = "paused"
            reason = f"asked to wait {self._paused_until - now:.0f} s more: {self._said()}"
        elif self._breaker.state(now) != "closed":
            standing = "broken"
            times = f"failed {self._breaker.failures} times in a row"
            reason = "all its calls have gone silent" if self.is_stalled else f"{times}: {self._said()}"
        measures = self.measures
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
            limit_reason=self._limit_reason(),
            held_by=self.standing.reason if self.is_held else "",
            tokens_per_second=measures.speed.tokens_per_second,
            p50_call_ms=_ms(measures.usual_seconds()),
            p95_call_ms=_ms(measures.calls.percentile(0.95)),
            p95_first_token_ms=_ms(measures.first_tokens.percentile(0.95)),
            suspects=len(self._suspects),
            twins=self._twins,
            tokens_out=measures.tokens_out,
            call_seconds=measures.call_seconds,
        )

    def take_standing(self, standing: MachineStanding, now: float) -> EngineNotice | None:
        """Its machine stands like this now; returns what an operator should hear about it."""
        before, self.standing = self.standing, standing
        if standing.weight != before.weight:
            self._limiter.held_down(now, standing.weight)
        return turned(self.name, before, standing, self.in_flight)

    def call_started(self, flight: Flight, now: float) -> None:
        """A call is about to be sent."""
        flight.is_trial = self.is_trial(now)
        self.flights.add(flight)
        self._twins += flight.is_twin
        self._slots.call_started(now, self.in_flight)
        self._limiter.call_started(now, self.busy)
        self._breaker = self._breaker.call_started(now)

    def call_abandoned(self, flight: Flight) -> None:
        """A call was cancelled: it tells nothing, unless it was the one on trial."""
        self._forget(flight)
        if flight.is_trial:
            self._breaker = self._breaker.call_abandoned()

    def call_moved(self, flight: Flight, items: int) -> None:
        """A call was taken away from here, after so many items: it tells no more than one that was cancelled."""
        self._items += items
        self.call_abandoned(flight)

    def tokens_came(self, flight: Flight, tokens: int, now: float, loop_now: float) -> EngineNotice | None:
        """A call spoke; returns what an operator should hear about it."""
        is_first = flight.first_token_at is None
        self.measures.heard(flight, loop_now, tokens)
        if flight.is_suspect:
            flight.is_suspect = False
            self._suspects.discard(flight)
        self._limiter.tokens_came(now, tokens, self.busy)
        if self.is_stalled:
            self.is_stalled = False
            return self._closed(self._breaker.succeeded())
        if not is_first:
            return None
        self._slots.was_taken(now - (loop_now - flight.started_at))
        return self._closed(self._breaker.came_alive()) if flight.is_trial else None

    def excuse_silence(self, seconds: float) -> None:
        """Our own process stood still: no call was silent meanwhile."""
        for flight in self.flights:
            flight.excuse(seconds)

    def look_for_suspects(self, now: float, loop_now: float) -> EngineNotice | None:
        """Marks calls that have been silent for too long; an endpoint whose calls all are is left alone."""
        self.measures.looked_at(self.flights, loop_now)
        found = look(list(self.flights), self.measures.patience, self.measures.most_talking, loop_now)
        for flight in found.suspects:
            if not flight.is_suspect:
                flight.suspected_after = flight.silent_for(loop_now)
            flight.is_suspect = True
            self._suspects.add(flight)
        if not found.is_stalled:
            return None
        is_new, self.is_stalled = not self.is_stalled, True
        if len(self.flights) > 1 and self._breaker.state(now) in ("closed", "on_trial"):
            self._breaker = self._breaker.tripped(now, self._longest_pause())
        if not is_new or len(self.flights) == 1:
            return None
        reason = f"{self.name} gets no new calls: its {len(self.flights)} calls have all gone silent."
        return EngineNotice(kind="endpoint_paused", endpoint=self.name, reason=reason, failure="timeout")

    def call_finished(
        self, flight: Flight, result: CallResult, now: float, loop_now: float, chance: random.Random
    ) -> EngineNotice | None:
        """Learns from a call that has ended; returns what an operator should hear about it."""
        busy = self.busy
        self._forget(flight)
        notice = self._learn_from(flight, result, now, loop_now, chance)
        is_outage = result.failure is not None and self._breaker.opened_at is not None
        self._limiter.call_finished(_sample(result, busy, is_outage=is_outage))
        return notice

    def _learn_from(
        self, flight: Flight, result: CallResult, now: float, loop_now: float, chance: random.Random
    ) -> EngineNotice | None:
        failure = result.failure
        self.dialect = result.dialect if result.time_to_first_token_seconds is not None else self.dialect
        self._calls += 1
        self._items += result.items
        self.measures.ended(flight, loop_now, result.tokens_out, is_whole=failure is None)
        if failure is not None:
            self._failures[failure.kind] += 1
        effect = "none" if failure is None else rule_for(failure).effect
        if failure is None or effect == "none":
            return self._worked(flight, is_whole=failure is None)
        self._last_failure = failure
        if effect == "out":
            self.out = failure
            return EngineNotice(kind="endpoint_out", endpoint=self.name, reason=failure.detail, failure=failure.kind)
        if effect == "pause":
            return self._refused(failure, flight, result.started_at_seconds, now, chance)
        return self._failed(failure, flight, now)

    def _forget(self, flight: Flight) -> None:
        self.flights.discard(flight)
        self._suspects.discard(flight)

    def _worked(self, flight: Flight, *, is_whole: bool) -> EngineNotice | None:
        came_alive = self._breaker.came_alive() if flight.is_trial else self._breaker
        notice = self._closed(came_alive)
        if flight.is_trial or self._breaker.opened_at is None:
            self._breaker = self._breaker.succeeded()
        self.has_worked = True
        self._whole += is_whole
        self._overloads = 0
        if not self._is_pause_asked:
            self._paused_until = 0.0  # a slot has become free, whatever we guessed
        return notice

    def _failed(self, failure: Failure, flight: Flight, now: float) -> EngineNotice | None:
        before = self._breaker
        if before.opened_at is not None and not flight.is_trial:
            return None  # it was under way when the breaker opened, and tells nothing new
        is_gone = failure.kind == "connect" and not failure.was_sent
        longest = self._longest_pause()
        self._breaker = before.tripped(now, longest) if is_gone else before.failed(now, longest)
        if before.opened_at is not None or self._breaker.opened_at is None:
            return None
        reason = f"{self.name} is left alone, but for a trial now and then: {failure.detail}"
        return EngineNotice(kind="endpoint_out", endpoint=self.name, reason=reason, failure=failure.kind)

    def _refused(
        self, failure: Failure, flight: Flight, started_at: float, now: float, chance: random.Random
    ) -> EngineNotice | None:
        """Not now: when a call ends, or for as long as the server asks. Calls refused together count once."""
        if flight.is_trial:
            self._breaker = self._breaker.call_abandoned()
        usual = self.measures.usual_seconds() or 0.0
        is_rate_limit = self._slots.was_refused(now, started_at, self.in_flight, usual)
        asked = failure.retry_after_seconds
        is_paid = self.endpoint.tier == _PAID_TIER and asked is not None
        if not is_rate_limit and not is_paid and failure.kind == "overloaded":
            return None
        if started_at >= self._paused_at:
            self._overloads += 1
        seconds = backoff_seconds(self._settings, self._overloads, chance) if asked is None else asked
        self._is_pause_asked = asked is not None
        self._paused_at = now
        self._paused_until = max(self._paused_until, now + seconds)
        self._slots.forget()
        if seconds < _PAUSE_WORTH_SAYING_SECONDS:
            return None
        reason = f"{self.name} gets no calls for {seconds:.0f} s: {failure.detail}"
        return EngineNotice(kind="endpoint_paused", endpoint=self.name, reason=reason, failure=failure.kind)

    def _closed(self, breaker: Breaker) -> EngineNotice | None:
        was_open, self._breaker = self._breaker.opened_at is not None, breaker
        if was_open and breaker.opened_at is None:
            return EngineNotice(kind="endpoint_back", endpoint=self.name, reason=f"{self.name} answers again.")
        return None

    def _limit_reason(self) -> str:
        whole, said = self._limiter.limit, self._limiter.reason
        if not self.standing.holds_down or not whole:
            return said
        return f"{self.limit} of {whole}: {self.standing.reason or 'held back by the state of its machine'}"

    def _longest_pause(self) -> float | None:
        usual = self.measures.usual_seconds()
        return None if usual is None else max(_LEAST_PAUSE_SECONDS, _PAUSE_PER_CALL * usual)

    def _said(self) -> str:
        return self._last_failure.detail if self._last_failure is not None else "no reason known"


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _sample(result: CallResult, in_flight: int, *, is_outage: bool) -> CallSample:
    return CallSample(
        failure=None if result.failure is None else result.failure.kind,
        started_at_seconds=result.started_at_seconds,
        duration_seconds=result.duration_seconds,
        time_to_first_token_seconds=result.time_to_first_token_seconds,
        characters_out=len(result.raw_text),
        tokens_out=result.tokens_out,
        in_flight=in_flight,
        ended_at_seconds=result.started_at_seconds + result.duration_seconds,
        is_outage=is_outage,
    )
