"""Which call in flight is sent a second time, and where: hanging ones at once, slow ones when the work runs out.

Pure: the pool asks and carries it out. The first of the two that gives an item wins, the other is cancelled.
Nothing is sent twice to an endpoint that costs money.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tip_resources.llm.flight import Flight

if TYPE_CHECKING:
    from tip_resources.llm.endpoint_state import EndpointState

_CLEARLY_SOONER = 0.75  # of the time the first call is expected to take still
_MOST_OF_ONE_REQUEST = 3  # the first call and two twins
_HOPELESS_FACTOR = 10.0  # times the silence that made a call suspect
_PAID_TIER = "openai"


class Twin(msgspec.Struct, frozen=True):
    """Send the request of `flight` to `state` as well."""

    flight: Flight
    state: "EndpointState"


def for_suspects(flights: Sequence[Flight], free: Sequence["EndpointState"]) -> Twin | None:
    """A second call for the one that has been silent longest and whose calls are all silent.

    Another endpoint is preferred. One whose calls are all silent is asked again only as its breaker admits trials:
    of a server that is merely slow nothing more is wanted.
    """
    silent = [flight for flight in flights if flight.is_suspect and _may_have_twin(flight)]
    for flight in sorted(silent, key=lambda silent: silent.heard_at):
        if any(not other.is_suspect for other in flight.need.flights):
            continue
        asked = {other.state.name for other in flight.need.flights}
        places = _places(flight, free)
        places.sort(key=lambda state: (state.name in asked, state.seconds_for(flight.need.tokens) or 0.0))
        if places:
            return Twin(flight, places[0])
    return None


def hopeless(flights: Sequence[Flight], now: float) -> list[Flight]:
    """Of requests all of whose calls hang, as many as may be: the first call, once it has been silent very long."""
    found = []
    for need in {flight.need for flight in flights if flight.is_suspect}:
        if len(need.flights) >= _MOST_OF_ONE_REQUEST and all(flight.is_suspect for flight in need.flights):
            first = min(need.flights, key=lambda flight: flight.started_at)
            if first.silent_for(now) > _HOPELESS_FACTOR * first.suspected_after:
                found.append(first)
    return found


def for_slow(flights: Sequence[Flight], free: Sequence["EndpointState"]) -> Twin | None:
    """Work stealing at the end: the call with the most left to do, if a free endpoint ends it clearly sooner."""
    best: tuple[float, Twin] | None = None
    for flight in flights:
        if len(flight.need.flights) > 1 or not _may_have_twin(flight):
            continue
        left = flight.state.measures.seconds_left(flight)
        if left is None or (best is not None and left <= best[0]):
            continue
        for state in _places(flight, free):
            seconds = state.seconds_for(flight.need.tokens)
            if state is not flight.state and seconds is not None and seconds < _CLEARLY_SOONER * left:
                best = (left, Twin(flight, state))
                break
    return None if best is None else best[1]


def _may_have_twin(flight: Flight) -> bool:
    is_wanted = not flight.need.is_settled and not flight.is_moved  # what is moved is asked anew anyway
    return len(flight.need.flights) < _MOST_OF_ONE_REQUEST and is_wanted


def _places(flight: Flight, free: Sequence["EndpointState"]) -> list["EndpointState"]:
    return [state for state in free if state.endpoint.tier != _PAID_TIER and state.name not in flight.need.barred]
