"""What the fleet allows each endpoint of an engine: read from the fleet every second, beside the event loop."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from tip_resources.llm.machine_standing import WELL, MachineStanding
from tip_resources.llm.types import Endpoint

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers
    from tip_resources.fleet.node_state import NodeState

_EVERY_SECONDS = 1.0


class Woken(Protocol):
    """An engine."""

    def wake(self) -> None:
        """A standing changed."""


class Standings:
    """The standing of each machine, in memory. Use it as an async context manager around the engine.

    Args:
        fleet: Where states are read.
        every_seconds: Between two readings.
        wall: Seconds since 1970.
    """

    def __init__(
        self, fleet: "FleetServers", *, every_seconds: float = _EVERY_SECONDS, wall: Callable[[], float] = time.time
    ) -> None:
        self._fleet = fleet
        self._every_seconds = every_seconds
        self._wall = wall
        self._known: dict[str, MachineStanding] = {}
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._known = await asyncio.to_thread(self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is None:
            return
        self._reading.cancel()
        (ended,) = await asyncio.gather(self._reading, return_exceptions=True)
        if error is None and isinstance(ended, Exception):  # reading had ended in a fault
            raise ended

    def of(self, endpoint: Endpoint) -> MachineStanding:
        """What `RequestEngine` wants as its own `standing_of`.

        A scripted server costs its machine nothing, so neither heat nor people hold it back; of a machine that is not
        of the fleet nothing is known, so it is taken for well.
        """
        return WELL if endpoint.scripted else self._known.get(endpoint.node, WELL)

    def attach(self, engine: Woken) -> None:
        """Begins to read, and wakes the engine when a standing changed. Call it once, when the engine is made."""
        self._reading = asyncio.create_task(self._read_on(engine))

    async def _read_on(self, engine: Woken) -> None:
        while True:
            await asyncio.sleep(self._every_seconds)
            before, self._known = self._known, await asyncio.to_thread(self._read)
            if _counting(before) != _counting(self._known):
                engine.wake()

    def _read(self) -> dict[str, MachineStanding]:
        now = self._wall()
        return {node: standing(state, now) for node, state in self._fleet.states().items()}


def standing(state: "NodeState", now_unix_seconds: float) -> MachineStanding:
    """What a machine's state means for model calls there."""
    if state.status == "lost" and not state.is_watched:
        return WELL  # as of a machine that is not of the fleet
    if not state.accepts_work:
        return MachineStanding(
            0.0,
            state.described(now_unix_seconds),
            moves_calls=state.moves_calls,
            # A model that works on alone must not lose an hour's call at every peak: its machine gets no new one.
            only_elsewhere=state.status == "hot",
            # People leave and chips cool down; a machine that is lost may be gone for good.
            is_waited_for=state.status != "lost",
        )
    if state.concurrency_factor < 1:
        return MachineStanding(state.concurrency_factor, state.described(now_unix_seconds))
    return WELL


def _counting(known: dict[str, MachineStanding]) -> dict[str, tuple[float, bool]]:
    """Without the reasons, which change with every minute that goes by."""
    return {node: (one.weight, one.moves_calls) for node, one in known.items() if one != WELL}
