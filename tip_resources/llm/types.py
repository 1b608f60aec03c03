"""What the request engine takes and gives. No network, no settings, no Dagster here."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from pydantic import SecretStr

from tip_resources.domain.provenance import Tier

Role = Literal["system", "user", "assistant"]

# What can go wrong with one model call; each has its own policy in policy.py.
FailureKind = Literal[
    "connect",  # nobody answers, or the connection breaks before the first token
    "timeout",  # silence longer than allowed
    "reset",  # the stream broke after it began
    "server_error",  # 5xx
    "overloaded",  # 429 or 503
    "bad_request",  # other 4xx: wrong parameters
    "auth",  # 401, 403
    "model_missing",  # the model name is not served
    "context_overflow",  # prompt and answer do not fit the context window
    "protocol",  # not an OpenAI-compatible answer (HTML, another service)
    "invalid_output",  # an answer, but no usable JSON in it
    "refusal",  # the model declined
    "empty",  # an answer with nothing in it
    "truncated",  # stopped at the token limit; items finished before it are kept
    "repetition",  # caught in a loop and cut off; items finished before it are kept
    "moved",  # ended by us, because the machine is needed; items finished before it are kept
]


class Message(msgspec.Struct, frozen=True):
    """One chat message."""

    role: Role
    content: str


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One OpenAI-compatible server and the model asked of it. `scripted` marks the rehearsal server.

    `concurrency` is how many calls it gets at once to start with, `most_at_once` what it never gets more than
    (a setting, or the slots it says it has; None when it says nothing).
    """

    name: str
    url: str
    model: str
    tier: Tier = "local"
    node: str = ""
    scripted: bool = False
    context_window_tokens: int | None = None
    concurrency: int = 4
    most_at_once: int | None = None
    api_key: SecretStr | None = None
    api_key_env: str = ""


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call that should answer with a JSON object holding an array of items.

    `items_key` names that array; `expected_items` is how many it should have. With `items_key` None the whole
    JSON document is the one item. With `json_schema` None the answer is plain text and no items are produced.
    """

    request_id: str
    messages: tuple[Message, ...]
    max_output_tokens: int
    temperature: float = 0.8
    seed: int | None = None
    json_schema: dict[str, Any] | None = None
    items_key: str | None = "calls"
    expected_items: int = 1


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One complete element of the answer's array, given out the moment it closed in the stream."""

    request_id: str
    position: int
    value: Any
    raw_text: str
    endpoint: Endpoint
    attempt: int
    call_id: str
    request_hash: str
    started_at: str
    time_to_first_token_ms: float | None
    elapsed_ms: float


class RequestDone(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one request, after all its attempts. `failure` None means the answer was complete.

    `items` is how many were given out: once there is one, a failure is not retried here, because the caller
    can ask for the missing ones alone. After "moved" it should do so as if nothing had been: nothing was wrong.
    `raw_text` is the last attempt's answer as far as it came, `skipped` what in it looked like an item and was
    none. `call_id`, `request_hash` and `started_at` are of the last attempt, `attempts` counts every call made
    for the request.
    """

    request_id: str
    endpoint: Endpoint | None
    items: int
    attempts: int
    failure: FailureKind | None = None
    detail: str = ""
    raw_text: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    time_to_first_token_ms: float | None = None
    duration_ms: float = 0.0
    failures_by_kind: Mapping[str, int] = {}
    call_id: str = ""
    request_hash: str = ""
    started_at: str = ""
    finish_reason: str | None = None
    skipped: tuple[str, ...] = ()


EngineEvent = Item | RequestDone

NoticeKind = Literal[
    "waiting", "resumed", "endpoint_paused", "endpoint_out", "endpoint_back", "retrying", "twin", "database"
]


class EngineNotice(msgspec.Struct, frozen=True, kw_only=True):
    """Something the engine decided, in words an operator would use; `endpoint` is "" when it concerns all.

    Only with "waiting" do calls wait: until "resumed". "database" says whether limits and records can be kept.
    """

    kind: NoticeKind
    reason: str
    endpoint: str = ""
    failure: FailureKind | None = None

    @property
    def text(self) -> str:
        """The reason, with the endpoint that it concerns."""
        is_named = not self.endpoint or self.reason.startswith(self.endpoint)
        return self.reason if is_named else f"{self.endpoint}: {self.reason}"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why one call did not succeed.

    `is_permanent` says that only a person can mend this endpoint; `was_sent` that a connection broke after the
    request was on its way, so that the request itself may be the cause.
    """

    kind: FailureKind
    detail: str
    retry_after_seconds: float | None = None
    is_permanent: bool = False
    was_sent: bool = False
