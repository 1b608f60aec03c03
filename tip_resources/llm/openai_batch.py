"""OpenAI's batch API, spoken: files up, a batch made and looked after, answers down. Half price, within 24 hours.

What goes into a batch and what becomes of the answers is decided in tip_assets/generation/batch_writing.py.
Reference: https://platform.openai.com/docs/api-reference/batch
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from openai import APIConnectionError, APIStatusError, AsyncOpenAI

from tip_resources.llm.failures import CallFailed, CallImpossible, http_failure, message_of, printable
from tip_resources.llm.http_client import new_client
from tip_resources.llm.types import Endpoint

T = TypeVar("T")

# Of one input file, by the reference: https://platform.openai.com/docs/api-reference/batch/create
MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000

BatchStatus = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]
ENDED: frozenset[BatchStatus] = frozenset({"failed", "completed", "expired", "cancelled"})

_ADDRESS: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_WINDOW: Literal["24h"] = "24h"
_TICKET = "tip_ticket"
_CONNECT_SECONDS = 30.0
_SILENCE_SECONDS = 120.0
# An answer file of 50,000 long calls; the cap only ends what never would.
_MOST_ANSWER_BYTES = 8_000_000_000
_SEARCHED_BATCHES = 500


class BatchState(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch stands. Times are Unix seconds; `errors` says why a batch was not even begun."""

    id: str
    status: BatchStatus
    created_at: float
    ended_at: float | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0
    output_file: str | None = None
    error_file: str | None = None
    errors: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one request: `status` is its HTTP status (None when it was not sent), `body` what was answered."""

    custom_id: str
    status: int | None
    body: Any
    error: str = ""


def request_line(custom_id: str, body: Mapping[str, Any]) -> bytes:
    """One line of an input file."""
    line = {"custom_id": custom_id, "method": "POST", "url": _ADDRESS, "body": body}
    return msgspec.json.encode(line) + b"\n"


class OpenAIBatches:
    """The batches of one account.

    Every method raises `CallFailed` when trying again may help, and `CallImpossible` when a person has to act.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        key = endpoint.api_key.get_secret_value() if endpoint.api_key is not None else ""
        http = new_client(
            endpoint.url,
            key,
            connect_seconds=_CONNECT_SECONDS,
            read_seconds=_SILENCE_SECONDS,
            most_bytes=_MOST_ANSWER_BYTES,
        )
        # Its own key is never sent: new_client decides what leaves. Trying again is decided by who calls, because a
        # batch that was made without us hearing of it must be looked for before another is made.
        self._client = AsyncOpenAI(
            base_url=endpoint.url, api_key="unused", max_retries=0, timeout=http.timeout, http_client=http
        )

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._client.close()

    async def upload(self, file: Path) -> str:
        """Uploads an input file; its id."""

        async def send() -> str:
            with file.open("rb") as data:
                return (await self._client.files.create(file=(file.name, data), purpose="batch")).id

        return await self._told(send)

    async def create(self, file_id: str, ticket: str) -> BatchState:
        """Makes a batch of an uploaded file; `ticket` is what it can be found by."""
        return await self._told(lambda: self._create(file_id, ticket))

    async def find(self, ticket: str) -> BatchState | None:
        """The batch made under `ticket`, among the newest of the account."""

        async def look() -> BatchState | None:
            seen = 0
            async for batch in self._client.batches.list(limit=100):
                seen += 1
                if (batch.metadata or {}).get(_TICKET) == ticket:
                    return _state(batch)
                if seen >= _SEARCHED_BATCHES:
                    break
            return None

        return await self._told(look)

    async def state(self, batch_id: str) -> BatchState:
        """How a batch stands now."""

        async def look() -> BatchState:
            return _state(await self._client.batches.retrieve(batch_id))

        return await self._told(look)

    async def download(self, file_id: str, target: Path) -> None:
        """Fetches an answer or error file."""

        async def fetch() -> None:
            async with self._client.files.with_streaming_response.content(file_id) as response:
                await response.stream_to_file(target)

        await self._told(fetch)

    async def _create(self, file_id: str, ticket: str) -> BatchState:
        made = await self._client.batches.create(
            input_file_id=file_id, endpoint=_ADDRESS, completion_window=_WINDOW, metadata={_TICKET: ticket}
        )
        return _state(made)

    async def _told(self, do: Callable[[], Awaitable[T]]) -> T:
        """Does it, and tells a failure in our words."""
        name = self._endpoint.name
        try:
            return await do()
        except APIStatusError as error:
            failure = http_failure(
                self._endpoint, error.status_code, error.body, error.response.headers, datetime.now(UTC)
            )
            if failure.kind in ("overloaded", "server_error", "timeout"):
                raise CallFailed(failure.kind, failure.detail) from error
            raise CallImpossible(failure.kind, failure.detail) from error
        except APIConnectionError as error:
            said = printable(str(error.__cause__ or error), self._endpoint)
            raise CallFailed("connect", f"{name} cannot be reached at {self._endpoint.url} ({said}).") from error


def read_answers(file: Path) -> Iterator[BatchAnswer]:
    """The lines of an answer or error file; a line that is no answer is left out, and its request counts as unanswered.

    Of an answer, errors of the request itself stand under `error`; what the model's server said under `body`.
    """
    with file.open("rb") as lines:
        for line in lines:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if not isinstance(value, dict) or not isinstance(value.get("custom_id"), str):
                continue
            response = value.get("response")
            response = response if isinstance(response, dict) else {}
            status = response.get("status_code")
            error = value.get("error")
            yield BatchAnswer(
                custom_id=value["custom_id"],
                status=status if isinstance(status, int) else None,
                body=response.get("body"),
                error=f"{error.get('code') or ''} {message_of(error)}".strip() if isinstance(error, dict) else "",
            )


def _state(batch: Any) -> BatchState:
    counts, errors = batch.request_counts, batch.errors.data if batch.errors and batch.errors.data else []
    ended = batch.completed_at or batch.expired_at or batch.cancelled_at or batch.failed_at
    return BatchState(
        id=batch.id,
        status=batch.status,
        created_at=batch.created_at,
        ended_at=ended,
        total=counts.total if counts else 0,
        completed=counts.completed if counts else 0,
        failed=counts.failed if counts else 0,
        output_file=batch.output_file_id,
        error_file=batch.error_file_id,
        errors=tuple(f"{error.code}: {error.message}" for error in errors),
    )
