"""How an endpoint stands, in values and words for people."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Standing = Literal["ready", "full", "paused", "broken", "out"]


class EndpointStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one endpoint stands, for people: `reason` says why it is not "ready".

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
    tokens_per_second: float | None = None
    p50_call_ms: float | None = None
    p95_call_ms: float | None = None
    p95_first_token_ms: float | None = None
    suspects: int = 0
    twins: int = 0
    tokens_out: int = 0
    call_seconds: float = 0.0
