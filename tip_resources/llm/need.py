"""What one request needs of the endpoints, and its place in the line of those that wait."""

import asyncio
from collections.abc import Callable

from tip_resources.llm.flight import Flight
from tip_resources.llm.types import Failure


class NobodyLeft(Exception):
    """No endpoint can answer this request. `is_exhausted`: those that work have all been asked and declined."""

    def __init__(self, failure: Failure, *, is_exhausted: bool = False) -> None:
        self.failure = failure
        self.is_exhausted = is_exhausted
        super().__init__(failure.detail)


class Need:
    """What one request needs of an endpoint. `avoid` is for the next call only, `barred` for all.

    `is_settled` says that a call of it has given an item or ended well. `flights` are its calls under way;
    `on_twin` is told of a second call that the pool wants sent, `on_settled` which of several goes on alone,
    `on_given_up` which of several is waited for no longer, `on_moved` which must leave its machine now.
    """

    def __init__(
        self,
        tokens: int,
        on_twin: Callable[[Flight], None],
        on_settled: Callable[[Flight], None],
        on_given_up: Callable[[Flight], None],
        on_moved: Callable[[Flight], None],
    ) -> None:
        self.tokens = tokens
        self.on_twin = on_twin
        self.on_settled = on_settled
        self.on_given_up = on_given_up
        self.on_moved = on_moved
        self.calls = 0
        self.is_settled = False
        self.avoid: frozenset[str] = frozenset()
        self.barred: frozenset[str] = frozenset()
        self.flights: set[Flight] = set()


class Waiter:
    """A request that waits for an endpoint; those that were tried before rank first."""

    def __init__(self, need: Need, order: int) -> None:
        self.need = need
        self.rank = (need.calls == 0, order)
        self.future: asyncio.Future[Flight] = asyncio.get_running_loop().create_future()
