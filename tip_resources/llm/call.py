"""One call to one endpoint: sends it, gives out items as they close, and keeps count of what came.

How it ended is judged in verdict.py; which endpoint, and what is done after a failure, the engine decides.
"""

import re
from collections.abc import Awaitable, Callable

import msgspec

from tip_resources.llm.clock import Clock
from tip_resources.llm.dialect import Dialect, is_refusal
from tip_resources.llm.elements import Found
from tip_resources.llm.hashing import new_call_id, request_hash
from tip_resources.llm.repetition import RepetitionWatch
from tip_resources.llm.salvage import Salvage
from tip_resources.llm.transport import CallBroken, Delta, Transport
from tip_resources.llm.types import ChatRequest, Endpoint, Failure, Item
from tip_resources.llm.verdict import Ending, failure_of

# No tokenizer spends more than this on one token of text; a server that sends more ignores the token limit.
MOST_CHARACTERS_PER_TOKEN = 16
_SPARE_CHARACTERS = 1000
CHARACTERS_PER_TOKEN = 4  # of English text, as a rule of thumb
_NAMED_OPTION = re.compile(r"response_format|stream_options|include_usage|max_completion_tokens")


class CallResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one call ended. Times are seconds; `text` is the answer without reasoning, `raw_text` all of it."""

    failure: Failure | None
    items: int
    call_id: str
    request_hash: str
    started_at: str
    started_at_seconds: float
    duration_seconds: float
    time_to_first_token_seconds: float | None
    text: str
    raw_text: str
    skipped: tuple[str, ...]
    finish_reason: str | None
    tokens_in: int | None
    tokens_out: int | None
    dialect: Dialect


class Call:
    """A call under way. `run` may be used once.

    Args:
        emit: Takes each item the moment it closes; waiting in it holds the stream back.
        on_tokens: Told how many tokens came, each time some do: the endpoint is alive.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        request: ChatRequest,
        *,
        dialect: Dialect,
        attempt: int,
        clock: Clock,
        emit: Callable[[Item], Awaitable[None]],
        on_tokens: Callable[[int], None],
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._request = request
        self._dialect = dialect
        self._attempt = attempt
        self._clock = clock
        self._emit = emit
        self._on_tokens = on_tokens
        self._begin("")

    def _begin(self, body_hash: str) -> None:
        """A clean sheet: also for a second try in a simpler dialect, which is a call of its own."""
        self._salvage = Salvage(self._request.items_key, finds_items=self._request.json_schema is not None)
        self._repetition = RepetitionWatch()
        self._call_id, self._hash = new_call_id(), body_hash
        self._started = self._clock.now()
        self._started_at = self._clock.wall().isoformat(timespec="milliseconds")
        self._first_token: float | None = None
        self._items = self._characters = 0
        self._has_surplus = False
        self._refusal: list[str] = []
        self._finish_reason: str | None = None
        self._tokens_in: int | None = None
        self._tokens_out: int | None = None

    async def run(self) -> CallResult:
        """Makes the call; every end but cancellation is a result."""
        while True:
            body = self._dialect.body(self._endpoint.model, self._request)
            self._begin(request_hash(body))
            broken = None
            try:
                await self._transport.call(self._endpoint, body, self._take)
            except CallBroken as error:
                simpler = self._simpler(error, body)
                if simpler is not None:
                    self._dialect = simpler
                    continue
                broken = error.failure
            await self._give(self._salvage.finish())
            return self._result(broken)

    def cut_off(self, why: Failure) -> CallResult:
        """How a call ended that was cancelled: with what it had given out until then."""
        return self._result(why)

    def _simpler(self, error: CallBroken, body: dict) -> Dialect | None:
        """The dialect to try next, when the server refused an option of the request."""
        words = error.failure.detail
        is_about_options = error.failure.kind == "bad_request" or _NAMED_OPTION.search(words)
        is_refused = is_refusal(error.status, words) and is_about_options
        return self._dialect.after_refusal(words, body) if is_refused else None

    async def _take(self, delta: Delta) -> bool:
        if delta.is_token:
            if self._first_token is None:
                self._first_token = self._clock.now()
            # A server that does not stream sends its tokens as one piece.
            self._on_tokens(max(1, delta.tokens, len(delta.text) // CHARACTERS_PER_TOKEN))
        self._finish_reason = delta.finish_reason or self._finish_reason
        self._tokens_in = delta.tokens_in if delta.tokens_in is not None else self._tokens_in
        self._tokens_out = delta.tokens_out if delta.tokens_out is not None else self._tokens_out
        if delta.refusal:
            self._refusal.append(delta.refusal)
        if delta.text:
            self._characters += len(delta.text)
            self._repetition.hear(delta.text)
            await self._give(self._salvage.feed(delta.text))
        return self._has_surplus or self._is_endless or self._repetition.is_repeating

    @property
    def _is_endless(self) -> bool:
        return self._characters > MOST_CHARACTERS_PER_TOKEN * self._request.max_output_tokens + _SPARE_CHARACTERS

    async def _give(self, found: list[Found]) -> None:
        for element in found:
            if self._items >= self._request.expected_items:
                self._has_surplus = True  # more than was asked: nobody waits for the rest
                return
            self._repetition.item_closed()
            await self._emit(self._item(element))
            self._items += 1  # a call that is moved while nobody takes the item has not given it

    def _item(self, element: Found) -> Item:
        first = self._first_token
        return Item(
            request_id=self._request.request_id,
            position=element.position,
            value=element.value,
            raw_text=element.raw_text,
            endpoint=self._endpoint,
            attempt=self._attempt,
            call_id=self._call_id,
            request_hash=self._hash,
            started_at=self._started_at,
            time_to_first_token_ms=None if first is None else (first - self._started) * 1000,
            elapsed_ms=(self._clock.now() - self._started) * 1000,
        )

    def _result(self, broken: Failure | None) -> CallResult:
        return CallResult(
            failure=failure_of(self._ending(broken)),
            items=self._items,
            call_id=self._call_id,
            request_hash=self._hash,
            started_at=self._started_at,
            started_at_seconds=self._started,
            duration_seconds=self._clock.now() - self._started,
            time_to_first_token_seconds=None if self._first_token is None else self._first_token - self._started,
            text=self._salvage.text,
            raw_text=self._salvage.raw_text,
            skipped=self._salvage.skipped,
            finish_reason=self._finish_reason,
            tokens_in=self._tokens_in,
            tokens_out=self._tokens_out,
            dialect=self._dialect,
        )

    def _ending(self, broken: Failure | None) -> Ending:
        return Ending(
            endpoint_name=self._endpoint.name,
            expected_items=None if self._request.json_schema is None else self._request.expected_items,
            max_output_tokens=self._request.max_output_tokens,
            items=self._items,
            text=self._salvage.text,
            refusal="".join(self._refusal),
            is_open=self._salvage.is_open,
            is_endless=self._is_endless,
            is_repeating=self._repetition.is_repeating,
            finish_reason=self._finish_reason,
            tokens_out=self._tokens_out,
            broken=broken,
        )
