"""How an endpoint stands, in values and words for people."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

Standing = Literal["ready", "full", "paused", "broken", "out"]


class EndpointStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one endpoint stands, for people: `reason` says why it is not "ready".

    `held_by` says in whose favour its machine takes no calls, when that alone keeps it from being asked.
    `suspects` are calls in flight that have been silent for longer than is usual there; they take no place of
    the limit. Rates and percentiles are of the last seconds and calls, None until something was measured.
    `tokens_out` and `call_seconds` are of all calls that have ended.
    """

    name: str
    url: str
    model: str
    standing: Standing
    reason: str
    in_flight: int
    limit: int
    calls: int
    items: int
    failures_by_kind: Mapping[str, int]
    limit_reason: str = ""
    held_by: str = ""
    tokens_per_second: float | None = None
    p50_call_ms: float | None = None
    p95_call_ms: float | None = None
    p95_first_token_ms: float | None = None
    suspects: int = 0
    twins: int = 0
    tokens_out: int = 0
    call_seconds: float = 0.0

    @property
    def rests(self) -> bool:
        """Whether nothing is under way there and nothing may begin."""
        return not self.in_flight and self.standing not in ("ready", "full")


def why_all_rest(endpoints: Sequence[EndpointStatus]) -> tuple[str, ...]:
    """What keeps all endpoints idle, each reason once; empty while one works or may."""
    if not all(endpoint.rests for endpoint in endpoints):
        return ()
    return tuple(dict.fromkeys(one.held_by or f"{one.name}: {one.reason}" for one in endpoints))
