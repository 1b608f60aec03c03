"""What the machine behind an endpoint allows the engine: values, and what follows from them for calls. Pure.

Who knows the machines makes these values (the fleet does); what is done about them stands in machines.py.
"""

from collections.abc import Callable

import msgspec

from tip_resources.llm.types import Endpoint, EngineNotice, Failure

_HAIR = 1e-9  # 0.7 of 10 is 7, whatever binary fractions say


class MachineStanding(msgspec.Struct, frozen=True):
    """How much of an endpoint's calls its machine takes.

    `weight` is 1 when all is well; between 0 and 1 the machine keeps that share of its concurrency and counts as
    that much slower; with 0 it gets no new calls. `moves_calls` says that calls in flight there are to go elsewhere
    now; with `only_elsewhere` those for which no other endpoint works end where they are. With `is_waited_for` calls
    that find no other endpoint wait for it without end; else no longer than for a broken server. `reason` is in words
    an operator would use: "rtx-laptop is in_use: a game (for 12 min)".

    Raises:
        ValueError: The weight is not within 0 to 1, or calls are moved off a machine that gets new ones.
    """

    weight: float
    reason: str = ""
    moves_calls: bool = False
    only_elsewhere: bool = False
    is_waited_for: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ValueError(f"the weight of a machine is within 0 to 1, not {self.weight}")
        if self.moves_calls and self.weight > 0:
            raise ValueError("a machine whose calls are moved away takes no new ones: its weight is 0")

    @property
    def takes_calls(self) -> bool:
        """Whether it gets new calls."""
        return self.weight > 0

    @property
    def holds_down(self) -> bool:
        """Whether it takes fewer calls than its endpoint would, or none."""
        return self.weight < 1


WELL = MachineStanding(1.0)

# Read often, from the event loop: it must answer at once, from what is known, and raise nothing.
StandingOf = Callable[[Endpoint], MachineStanding]


def held_limit(limit: int, weight: float) -> int:
    """What a machine leaves of its endpoint's limit: at most `weight` of it, and one call at least while any are taken.

    A limit of 0 (other runs hold the endpoint) stays 0.
    """
    if weight <= 0 or limit <= 0:
        return 0
    return max(1, int(limit * weight + _HAIR))


def no_calls(standing: MachineStanding) -> str:
    """Why an endpoint whose machine takes no calls is idle."""
    return f"its machine takes no calls now: {standing.reason or 'no reason was given'}"


def moved(endpoint_name: str, standing: MachineStanding) -> Failure:
    """How a call ends that is asked anew elsewhere, because its machine is needed."""
    return Failure(kind="moved", detail=f"The call was taken off {endpoint_name}: {no_calls(standing)}.")


def turned(endpoint_name: str, before: MachineStanding, now: MachineStanding, in_flight: int) -> EngineNotice | None:
    """What is said when a machine begins or ceases to take calls; None when it does neither."""
    if before.takes_calls == now.takes_calls:
        return None
    if now.takes_calls:
        reason = f"{endpoint_name} gets calls again: its machine is free."
        return EngineNotice(kind="endpoint_back", endpoint=endpoint_name, reason=reason)
    then = "finish" if not now.moves_calls else "are asked elsewhere"
    rest = f" Its {in_flight} calls in flight {then}." if in_flight else ""
    reason = f"{endpoint_name} gets no new calls: {no_calls(now)}.{rest}"
    return EngineNotice(kind="endpoint_paused", endpoint=endpoint_name, reason=reason)
