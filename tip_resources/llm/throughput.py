"""Measures the tokens per second of one endpoint while a certain number of calls is in flight.

Servers that queue in silence say nothing about their load, but the tokens of all streams together do. Pure: the
limiter hands in what happens, with the time of the engine's clock in seconds.
"""

import msgspec

# A figure needs this many tokens per call in flight, and this long, to stand above the jitter of a stream.
_TOKENS_PER_CALL = 40
_LEAST_SECONDS = 0.25
_LEAST_ROUGH_SECONDS = 0.12
# Of servers that send an answer as a whole, the pieces must be as many as to even out which call ends when.
_PIECES_PER_CALL = 4
# What comes right after a change still belongs to the old load: prompts are being read, slots being filled.
_SETTLING_TOKENS_PER_CALL = 6
_TOLERANCE = 0.1  # share of the load by which calls in flight may differ from it, on average


class Figure(msgspec.Struct, frozen=True):
    """Tokens per second, measured over `seconds`."""

    tokens_per_second: float
    seconds: float


class Measurement:
    """The throughput at one load. `see` takes every event and gives a figure whenever one is complete.

    Time in which fewer or more calls were in flight than `load` does not count: it says nothing about it.
    `is_rough` is for large steps, which differ by more than a short measurement errs.
    """

    def __init__(self, load: int, *, is_rough: bool = False) -> None:
        self._load = load
        self._least_seconds = _LEAST_ROUGH_SECONDS if is_rough else _LEAST_SECONDS
        self._settling = _SETTLING_TOKENS_PER_CALL * load
        self._restart(None)

    def see(self, now: float, in_flight: int, tokens: int) -> Figure | None:
        """What happened at `now`: so many calls are in flight, and so many tokens have come."""
        if self._last is None:
            if self._is_near(in_flight):
                self._restart(now)
            return None
        self._call_seconds += self._in_flight * (now - self._last)
        self._last, self._in_flight = now, in_flight
        self._tokens += tokens
        self._pieces += tokens > 0
        if self._settling > 0:
            self._settling -= tokens
            if self._settling <= 0:
                self._restart(now)
            return None
        seconds = now - self._began
        is_enough = self._tokens >= _TOKENS_PER_CALL * self._load and self._pieces >= _PIECES_PER_CALL * self._load
        if seconds < self._least_seconds or not is_enough:
            return None
        figure = Figure(self._tokens / seconds, seconds)
        was_near = self._is_near(self._call_seconds / seconds)
        self._restart(now if self._is_near(in_flight) else None)
        return figure if was_near else None

    def _is_near(self, in_flight: float) -> bool:
        return abs(in_flight - self._load) <= max(0.6, _TOLERANCE * self._load)

    def _restart(self, now: float | None) -> None:
        self._last = now
        self._began = now or 0.0
        self._in_flight = self._load
        self._call_seconds = 0.0
        self._tokens = self._pieces = 0
