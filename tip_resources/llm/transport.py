"""What a call needs of the wire, whatever client carries it: deltas come, or the call is broken with a reason."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from tip_resources.llm.types import Endpoint, Failure


class Delta(msgspec.Struct, frozen=True):
    """A piece of the answer: one chunk of the stream, or several that came together.

    `is_token` tells speech (reasoning too) from bookkeeping chunks; `tokens` is how many such chunks it holds.
    """

    text: str = ""
    refusal: str = ""
    finish_reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    is_token: bool = False
    tokens: int = 0


class CallBroken(Exception):
    """A call ended without a whole answer. `status` is the HTTP status where there was one."""

    def __init__(self, failure: Failure, status: int | None = None) -> None:
        self.failure = failure
        self.status = status
        super().__init__(failure.detail)


# Takes one delta; True ends the call, because nothing that follows is wanted.
OnDelta = Callable[[Delta], Awaitable[bool]]


class Transport(Protocol):
    """How calls reach a server."""

    async def call(self, endpoint: Endpoint, body: Mapping[str, Any], on_delta: OnDelta) -> None:
        """Sends `body` and hands every delta on, until the answer ends.

        Raises:
            CallBroken: It did not end well.
        """
        ...

    async def aclose(self) -> None:
        """Closes all connections."""
        ...
