"""Which calls of one endpoint have been silent for too long. Pure; what is done about them stands in pool.py.

A call that waits its turn in a server's queue is silent as well. It is told from one that hangs by what the
others do: a call sent later has spoken already, or fewer streams talk than the server was seen to carry at once.
"""

from collections.abc import Sequence

import msgspec

from tip_resources.llm.flight import Flight
from tip_resources.llm.patience import LEAST_SECONDS, Patience

_STALL_FACTOR = 1.5  # when all are silent it may be the machine: a little more patience


class Findings(msgspec.Struct, frozen=True):
    """What a look at one endpoint showed; `is_stalled` says that every call there is silent for too long."""

    suspects: tuple[Flight, ...] = ()
    is_stalled: bool = False


def look(flights: Sequence[Flight], patience: Patience, most_talking: int, now: float) -> Findings:
    """Judges the calls in flight on one endpoint at `now` (seconds of the event loop).

    Args:
        flights: All of them, suspects too.
        patience: What is known of the endpoint's silences.
        most_talking: Most streams that were seen to talk at once.
    """
    late = [flight for flight in flights if flight.silent_for(now) > LEAST_SECONDS]
    if not late:
        return Findings()
    too_long = [flight for flight in late if _is_too_long(flight, flights, patience, now)]
    if len(too_long) == len(flights):
        shortest = min(flight.silent_for(now) for flight in flights)
        longest_allowed = max(_allowed(flight, flights, patience) or 0.0 for flight in flights)
        is_sure = shortest > _STALL_FACTOR * longest_allowed or len(flights) == 1
        return Findings(tuple(too_long), is_stalled=True) if is_sure else Findings()
    talking = sum(flight.first_token_at is not None and flight not in too_long for flight in flights)
    suspects = tuple(
        flight
        for flight in too_long
        if flight.first_token_at is not None or _is_passed_over(flight, flights, talking < most_talking)
    )
    return Findings(suspects)


def _is_too_long(flight: Flight, flights: Sequence[Flight], patience: Patience, now: float) -> bool:
    allowed = _allowed(flight, flights, patience)
    return allowed is not None and flight.silent_for(now) > allowed


def _allowed(flight: Flight, flights: Sequence[Flight], patience: Patience) -> float | None:
    others = [other for other in flights if other is not flight]
    if flight.first_token_at is not None:
        return patience.for_gap(others)
    learned = patience.for_first_token()
    if learned is not None:
        return learned
    # Nothing learned yet: a call that was sent later and has spoken is a measure.
    waits = [
        other.first_token_at - other.started_at
        for other in others
        if other.first_token_at is not None and other.started_at > flight.started_at
    ]
    return max(LEAST_SECONDS, 6 * max(waits)) if waits else None


def _is_passed_over(flight: Flight, flights: Sequence[Flight], has_free_slot: bool) -> bool:
    return has_free_slot or any(
        other.first_token_at is not None and other.started_at > flight.started_at for other in flights
    )
