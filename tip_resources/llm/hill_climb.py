"""Finds by itself how many calls at once make an endpoint fastest, and notices when that changes.

Slow start raises the limit by half while throughput rises with it; what lies between the best limit and its
neighbours is then tried until it is bracketed; from then on a neighbour is tried now and then, because another user
may come or go.
A limit counts as better only when it is clearly better; of equals the lower one wins, for its calls end sooner.
Guardrails (guardrails.py) and refusals (429, 503) set a ceiling for a while. No clock of its own, no waiting.
"""

from typing import Literal

import msgspec

from tip_resources.llm.guardrails import Guardrails, GuardrailWatch
from tip_resources.llm.limiter import CallSample, Learned
from tip_resources.llm.throughput import Figure, Measurement

_CLEARLY = 0.02  # share by which a throughput must differ to count as different
_SUDDEN = 0.2  # share by which the held limit's own throughput must change for the search to begin anew
_FIRST_PROBE_AFTER = 4  # figures at a held limit before a neighbour is tried; doubled by each try in vain
_LAST_PROBE_AFTER = 64
# The next limit of the first climb. Larger steps overshoot, and calls too many hold their slots until they end.
_GROWTH = 1.5
# More calls must bring at least this share of proportionally more tokens, or the best limit lies in between.
_WORTH_GROWING = 0.5
_FIGURES_TO_BELIEVE = 2  # at a held limit, before it is compared with what the search saw elsewhere
_DROPS_NEEDED = 2  # figures in a row that differ so much
_WINS_NEEDED = 2  # figures in favour of a neighbour before the limit moves
_FIGURE_WEIGHT = 0.3  # of the newest figure in the held limit's average
_BACK_OFF = 0.75
# Figures after which a ceiling that guardrails or refusals set is tried again.
_CEILING_HOLDS = 20

Phase = Literal["slow_start", "bracketing", "holding", "probing"]


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Where the search starts and what it never leaves."""

    start: int
    floor: int
    ceiling: int


class HillClimb:
    """A `Limiter` that learns.

    Args:
        bounds: Floor, start and ceiling of the limit.
        guardrails: What may not get worse.
        learned: What an earlier run found; the search then starts there and only verifies it.
    """

    def __init__(self, bounds: Bounds, guardrails: Guardrails, learned: Learned | None = None) -> None:
        self._bounds, self._guardrails = bounds, guardrails
        self._watch = GuardrailWatch(guardrails)
        self._ceiling = bounds.ceiling
        self._ceiling_figures = 0
        self._seen: dict[int, float] = {}  # throughput by limit, of this search
        self._probe_after, self._figures, self._probe_up = _FIRST_PROBE_AFTER, 0, True
        self._drops = self._wins = 0
        self._held: float | None = None  # average throughput of the held limit
        self._once = 0  # the best limit before the endpoint became slower; 0 when it did not
        start = bounds.start if learned is None else learned.limit
        self._best = self._limit = self._within(start)
        self._phase: Phase = "slow_start" if learned is None else "holding"
        self._reason = "starting" if learned is None else "as learned before"
        self._measurement = Measurement(self._limit, is_rough=learned is None)
        self._is_held_down = False
        self._hears_calls_since = 0.0

    @property
    def limit(self) -> int:
        """Most calls at once, now; nothing is on trial while the machine is held down."""
        return min(self._limit, self._best) if self._is_held_down else self._limit

    @property
    def reason(self) -> str:
        """Why the limit is what it is."""
        return self._reason

    @property
    def learned(self) -> Learned | None:
        """What is worth keeping for the next run; None until something was measured."""
        best = self._seen.get(self._best)
        return None if best is None else Learned(limit=self._best, tokens_per_second=best)

    def call_started(self, now: float, in_flight: int) -> None:
        """A call was sent."""
        self._see(now, in_flight, 0)

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None:
        """Tokens of any stream arrived."""
        self._see(now, in_flight, tokens)

    def call_finished(self, sample: CallSample) -> None:
        """Looks at the guardrails; a refusal says how many calls the server takes."""
        if self._is_held_down or sample.started_at_seconds < self._hears_calls_since:
            return
        self._see(sample.ended_at_seconds, sample.in_flight - 1, 0)
        if sample.failure == "overloaded":
            if sample.in_flight <= self._limit:
                # No cascade: calls refused together each tell a lower count, down to what was taken.
                self._lower_ceiling(sample.in_flight - 1, f"the server refused call {sample.in_flight}")
        elif trouble := self._watch.see(sample):
            self._lower_ceiling(int(self._limit * _BACK_OFF), trouble)

    def held_down(self, now: float, weight: float) -> None:
        """Below a weight of 1 nothing is learned: fewer calls, of a machine that may have throttled itself, tell of it
        and not of the server. Afterwards the search goes on where it was, with a new measurement."""
        was_held_down, self._is_held_down = self._is_held_down, weight < 1
        if was_held_down and not self._is_held_down:
            self._hears_calls_since = now
            self._watch.limit_changed()
            self._measurement = Measurement(self._limit, is_rough=self._phase == "slow_start")

    def follow(self, bounds: Bounds, guardrails: Guardrails) -> None:
        """The settings changed. With other bounds the search begins anew where they say: what was learned is of before,
        and a person who changes them wants to see it."""
        if guardrails != self._guardrails:
            self._guardrails, self._watch = guardrails, GuardrailWatch(guardrails)
        if bounds == self._bounds:
            return
        self._bounds, self._ceiling, self._ceiling_figures = bounds, bounds.ceiling, 0
        self._seen, self._held, self._once = {}, None, 0
        self._probe_after, self._figures, self._drops, self._wins = _FIRST_PROBE_AFTER, 0, 0, 0
        self._best = self._within(bounds.start)
        self._watch.limit_changed()
        self._limit, self._reason, self._phase = self._best, "the settings changed", "slow_start"
        self._measurement = Measurement(self._limit, is_rough=True)

    def _see(self, now: float, in_flight: int, tokens: int) -> None:
        if self._is_held_down:
            return
        figure = self._measurement.see(now, in_flight, tokens)
        if figure is not None:
            self._learn(figure)

    def _learn(self, figure: Figure) -> None:
        self._raise_ceiling_again()
        if self._phase == "holding":
            self._hold(figure.tokens_per_second)
        elif self._phase == "slow_start":
            self._seen[self._limit] = figure.tokens_per_second
            self._climb()
        elif self._phase == "bracketing":
            self._seen[self._limit] = figure.tokens_per_second
            self._take_best()
            self._narrow()
        else:
            self._judge_probe(figure.tokens_per_second)

    def _climb(self) -> None:
        """Half as many more, as long as it pays."""
        before = max((limit for limit in self._seen if limit < self._limit), default=None)
        if self._limit < self._ceiling and (before is None or self._is_worth_growing(before)):
            self._best = self._limit
            return self._try(self._grown(), "still rising")
        self._take_best()
        return self._narrow()

    def _take_best(self) -> None:
        most = max(self._seen.values())
        self._best = min(limit for limit, rate in self._seen.items() if rate >= most * (1 - _CLEARLY))

    def _narrow(self) -> None:
        """Tries the middle between the best limit and its nearest tried neighbours, the upper side first."""
        self._phase = "bracketing"
        best, step = self._best, max(1, self._best // 8)
        above = min((limit for limit in self._seen if limit > best), default=None)
        below = max((limit for limit in self._seen if limit < best), default=None)
        if above is not None and above - best > step:
            return self._try((best + above) // 2, self._compared(above))
        if below is None and best > self._bounds.floor:
            return self._try(max(self._bounds.floor, best - step), "trying fewer")
        if below is not None and best - below > step:
            return self._try((best + below + 1) // 2, self._compared(below))
        return self._settle()

    def _settle(self) -> None:
        other = min((limit for limit in self._seen if limit > self._best), default=None)
        self._keep(self._best, self._reason if other is None else self._compared(other))

    def _keep(self, limit: int, reason: str) -> None:
        """Holds a limit; what it brings is measured anew, since a figure of the search may have been a rough one."""
        self._phase = "holding"
        self._figures = self._drops = 0
        self._held = None
        self._try(limit, reason)

    def _hold(self, rate: float) -> None:
        known = rate if self._held is None else self._held
        change = rate / known - 1
        self._drops = self._drops + 1 if abs(change) > _SUDDEN else 0
        if self._drops >= _DROPS_NEEDED:
            self._begin_anew(rate, "slower" if change < 0 else "faster")
            return
        if not self._drops:
            self._held = self._seen[self._limit] = known + _FIGURE_WEIGHT * (rate - known)
        self._figures += 1
        if self._figures == _FIGURES_TO_BELIEVE and self._go_to_a_better_one():
            return
        if self._figures >= self._probe_after:
            self._probe()

    def _go_to_a_better_one(self) -> bool:
        """Whether the figure that chose the held limit was too good, and another one is held now."""
        better = max(self._seen, key=lambda limit: self._seen[limit])
        if better == self._limit or self._seen[better] < self._seen[self._limit] * (1 + 2 * _CLEARLY):
            return False
        self._best = self._within(better)
        self._keep(self._best, f"{self._limit} at once are slower than they seemed")
        return True

    def _probe(self) -> None:
        """A neighbour on trial, above and below in turn."""
        self._figures = 0
        step = max(1, self._best // 8)
        is_recovering = self._best < self._once
        for is_up in (self._probe_up or is_recovering, not self._probe_up):
            neighbour = self._within(self._best + (step if is_up else -step))
            if is_recovering:
                neighbour = self._within(self._once)
            if neighbour != self._best:
                self._probe_up, self._phase, self._wins = not is_up, "probing", 0
                self._try(neighbour, f"trying {neighbour} instead of {self._best}")
                return

    def _judge_probe(self, rate: float) -> None:
        is_up = self._limit > self._best
        self._seen[self._limit] = rate if self._wins == 0 else (self._seen[self._limit] + rate) / 2
        least = 1 + _CLEARLY if is_up else 1 - _CLEARLY / 2
        if self._seen[self._limit] >= self._seen[self._best] * least:
            self._wins += 1
            if self._wins < _WINS_NEEDED:
                return
            self._probe_after = _FIRST_PROBE_AFTER
            self._seen = {limit: self._seen[limit] for limit in (self._best, self._limit)}
            step = self._limit - self._best
            self._best, self._once = self._limit, 0
            if is_up:
                # The hill has moved up, or chance says so: go on from here with a longer step, not yet by half.
                self._phase = "slow_start"
                self._try(self._within(self._limit + 2 * step), "still rising")
            else:
                self._keep(self._best, "fewer calls are as fast")
            return
        most = _FIRST_PROBE_AFTER if self._best < self._once else _LAST_PROBE_AFTER
        self._probe_after = min(most, 2 * self._probe_after)
        held = self._held
        self._keep(self._best, self._compared(self._limit))
        self._held = held

    def _begin_anew(self, rate: float, how: str) -> None:
        """What was known of other limits holds no longer."""
        # Who has become slower is often as fast as before later on: that limit is tried again and again.
        self._once = max(self._once, self._best) if how == "slower" else 0
        self._seen = {self._limit: rate}
        self._probe_after, self._drops = _FIRST_PROBE_AFTER, 0
        if how == "faster":
            self._phase = "slow_start"
            self._try(self._grown(), "the endpoint has become faster")
        else:
            self._phase = "bracketing"
            self._try(self._within(self._limit // 2), "the endpoint has become slower")

    def _try(self, limit: int, reason: str) -> None:
        """From now on this many, and its throughput is measured anew."""
        self._reason = reason
        if limit == self._limit and self._phase in ("slow_start", "bracketing"):
            self._phase = "holding"
            self._held = None
        if limit != self._limit:
            self._watch.limit_changed()
        self._limit = limit
        self._measurement = Measurement(limit, is_rough=self._phase == "slow_start")

    def _lower_ceiling(self, ceiling: int, why: str) -> None:
        self._ceiling = max(self._bounds.floor if ceiling > 0 else 1, min(self._ceiling, ceiling), 1)
        self._ceiling_figures = 0
        self._best = min(self._best, self._ceiling)
        self._seen = {limit: rate for limit, rate in self._seen.items() if limit <= self._ceiling}
        self._probe_after = _FIRST_PROBE_AFTER
        self._keep(min(self._limit, self._ceiling), why)

    def _raise_ceiling_again(self) -> None:
        if self._ceiling < self._bounds.ceiling:
            self._ceiling_figures += 1
            if self._ceiling_figures >= _CEILING_HOLDS:
                self._ceiling_figures = 0
                self._ceiling = min(self._bounds.ceiling, self._ceiling + max(1, self._ceiling // 8))

    def _is_worth_growing(self, before: int) -> bool:
        """Whether the step from `before` brought enough."""
        gained = self._seen[self._limit] / self._seen[before] - 1
        return gained >= _WORTH_GROWING * (self._limit / before - 1)

    def _grown(self) -> int:
        return self._within(max(self._limit + 1, int(_GROWTH * self._limit)))

    def _within(self, limit: int) -> int:
        return max(min(limit, self._ceiling), min(self._bounds.floor, self._ceiling), 1)

    def _compared(self, other: int) -> str:
        """Why the best limit is better than another that was tried."""
        best, rate = self._seen.get(self._best), self._seen.get(other)
        if not best or rate is None:
            return self._reason
        loss = 1 - rate / best
        how = f"{loss:.0%} slower" if loss > 0 else "no faster"
        return f"{other} at once are {how} than {self._best}"
