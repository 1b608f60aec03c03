"""Which endpoint gets the next call: the one where it is expected to be finished first.

Pure: the pool hands in what it knows about each endpoint that may be used and has room.
"""

from collections.abc import Sequence

import msgspec


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """What the router knows about one usable endpoint.

    `seconds` is how long this call would take there at the measured speed of its streams, None until that is
    known; `others_seconds` how long all others would need for everything that is left, None when unknown.
    `weight` is the state of its node: half the weight counts as half the speed. `is_trial`: it was broken, and
    this call would tell whether it is back.
    """

    name: str
    in_flight: int
    limit: int
    seconds: float | None = None
    weight: float = 1.0
    is_trial: bool = False
    others_seconds: float | None = None

    @property
    def is_too_late(self) -> bool:
        """Whether the call would end here only after the others have done everything."""
        if self.seconds is None or self.others_seconds is None:
            return False
        return self.seconds / self.weight > self.others_seconds


def expected_seconds(view: EndpointView, unmeasured_seconds: float) -> float:
    """How long the call would take from now: more as the endpoint fills up, since streams slow each other."""
    seconds = unmeasured_seconds if view.seconds is None else view.seconds
    return seconds / view.weight * (1 + (view.in_flight + 1) / view.limit)


def choose(views: Sequence[EndpointView]) -> EndpointView | None:
    """The endpoint with the shortest expected wait among those with room; None when all are full or too slow.

    An endpoint that was not measured yet counts as fast as the fastest, so that each is tried early; one on trial
    comes last. Ties go to the emptier endpoint, then to the first.
    """
    free = [view for view in views if view.in_flight < view.limit and view.weight > 0 and not view.is_too_late]
    hopeful = min((view.seconds for view in views if view.seconds is not None), default=1.0)
    return min(free, key=lambda view: (view.is_trial, expected_seconds(view, hopeful), view.in_flight), default=None)
