"""Reads a stream of server-sent events, the pieces of a chat completion, from bytes. Pure: no network here.

All events of one read are decoded in one call and merged into one delta. What does not look like a plain row of
chunks (comments, named events, line ends of another kind, fields of odd types) takes a slower way that forgives
what the first does not. The format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tip_resources.llm.transport import Delta

_DONE = b"[DONE]"
_FIELD = b"data: "
_LAST = b"\n\ndata: [DONE]"
# Beyond any answer, and within what a database column holds: a server that counts more has not counted.
_MOST_TOKENS = 1_000_000_000


class ErrorInStream(Exception):
    """The server sent an error object as an event. `body` is that object."""

    def __init__(self, body: Any) -> None:
        self.body = body
        super().__init__("an error in the stream")


class _IsOdd(Exception):
    """Not a plain row of chunks."""


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Message | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: msgspec.Raw | None = None


_decode_lines = msgspec.json.Decoder(_Chunk).decode_lines


class EventStream:
    """Takes the bytes as they come.

    `is_done` after `data: [DONE]`, `has_chunks` once any object came. `fault` is why nothing can follow, once
    the delta before it was given out: `ErrorInStream`, or a `ValueError` for an event that is no JSON.
    """

    def __init__(self) -> None:
        self.is_done = False
        self.has_chunks = False
        self.fault: ErrorInStream | ValueError | None = None
        self._pending = bytearray()  # the beginning of an event
        self._has_return = False  # the last read ended in \r, which may be half of a line's end

    def feed(self, data: bytes) -> Delta | None:
        """The events that closed with these bytes, merged; None without such."""
        block = self._closed(data)
        if block is None or self.is_done:
            return None
        try:
            return self._read_plain(block)
        except (_IsOdd, msgspec.MsgspecError, ValueError, RecursionError):
            return self._read_odd(block)

    def _closed(self, data: bytes) -> bytes | None:
        """All events up to the last empty line; the rest is kept for the next read."""
        if self._has_return or b"\r" in data:
            data = b"\r" + data if self._has_return else data
            self._has_return = data.endswith(b"\r")
            data = data[:-1] if self._has_return else data
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not self._pending:
            if data.endswith(b"\n\n"):
                return data
            cut = data.rfind(b"\n\n")
            if cut < 0:
                self._pending += data
                return None
            self._pending += data[cut + 2 :]
            return data[: cut + 2]
        before = len(self._pending)
        self._pending += data
        cut = self._pending.rfind(b"\n\n", before - 1)
        if cut < 0:
            return None
        block = bytes(self._pending[: cut + 2])
        del self._pending[: cut + 2]
        return block

    def _read_plain(self, block: bytes) -> Delta:
        """A row of `data: {...}` and nothing else.

        A line feed cannot stand inside JSON, so what stands between events is found by it alone.

        Raises:
            _IsOdd, MsgspecError, ValueError, RecursionError: It is something else.
        """
        if not block.startswith(_FIELD):
            raise _IsOdd
        block = block.rstrip(b"\n")
        is_done = block.endswith(_LAST)
        if is_done:
            block = block[: -len(_LAST)]
        chunks = _decode_lines(block[len(_FIELD) :].replace(b"\n\ndata: ", b"\n"))
        texts: list[str] = []
        tokens = 0
        refusal, finish_reason, tokens_in, tokens_out = "", None, None, None
        for chunk in chunks:
            if chunk.error is not None:
                raise _IsOdd
            if (usage := chunk.usage) is not None:
                tokens_in = _counted(usage.prompt_tokens, tokens_in)
                tokens_out = _counted(usage.completion_tokens, tokens_out)
            if not chunk.choices:
                continue
            choice = chunk.choices[0]
            finish_reason = choice.finish_reason or finish_reason
            if (message := choice.delta) is None:
                continue
            if message.content:
                texts.append(message.content)
                tokens += 1
            elif message.refusal or message.reasoning_content or message.reasoning:
                tokens += 1
            if message.refusal:
                refusal += message.refusal
        self.is_done = is_done
        self.has_chunks = True
        return Delta(
            text=texts[0] if len(texts) == 1 else "".join(texts),
            refusal=refusal,
            finish_reason=finish_reason,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            is_token=tokens > 0,
            tokens=tokens,
        )

    def _read_odd(self, block: bytes) -> Delta | None:
        """Event by event, forgiving."""
        deltas: list[Delta] = []
        try:
            for payload in _payloads(block):
                if payload.startswith(_DONE):
                    self.is_done = True
                    break
                chunk = json.loads(payload.decode())
                if isinstance(chunk, dict) and chunk.get("error"):
                    self.fault = ErrorInStream(chunk["error"])
                    break
                if isinstance(chunk, dict):
                    self.has_chunks = True
                    deltas.append(delta_of(chunk, "delta"))
        except ValueError as error:
            self.fault = error
        except RecursionError:
            self.fault = ValueError("nested too deep")
        return _merged(deltas) if deltas else None


def delta_of(chunk: Mapping[str, Any], field: str) -> Delta:
    """What one chunk (`field` "delta") or a whole answer ("message") says; fields of the wrong type say nothing."""
    usage = chunk.get("usage")
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get(field)
    message = message if isinstance(message, dict) else {}
    text, refusal = _text(message, "content"), _text(message, "refusal")
    is_token = bool(text or refusal or _text(message, "reasoning_content") or _text(message, "reasoning"))
    reason = choice.get("finish_reason")
    return Delta(
        text=text,
        refusal=refusal,
        finish_reason=reason if isinstance(reason, str) else None,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        is_token=is_token,
        tokens=int(is_token),
    )


def _payloads(block: bytes) -> Iterator[bytes]:
    """The data of each event that has any."""
    for event in block.split(b"\n\n"):
        lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
        if payload := b"\n".join(lines).strip():
            yield payload


def _merged(deltas: list[Delta]) -> Delta:
    def last(field: str) -> Any:
        return next((value for delta in reversed(deltas) if (value := getattr(delta, field)) is not None), None)

    return Delta(
        text="".join(delta.text for delta in deltas),
        refusal="".join(delta.refusal for delta in deltas),
        finish_reason=next((delta.finish_reason for delta in reversed(deltas) if delta.finish_reason), None),
        tokens_in=last("tokens_in"),
        tokens_out=last("tokens_out"),
        is_token=any(delta.is_token for delta in deltas),
        tokens=sum(delta.tokens for delta in deltas),
    )


def _counted(value: int | None, otherwise: int | None) -> int | None:
    return otherwise if value is None or not 0 <= value <= _MOST_TOKENS else value


def _text(message: Mapping[str, Any], field: str) -> str:
    value = message.get(field)
    return value if isinstance(value, str) else ""


def _count(usage: Any, field: str) -> int | None:
    value = usage.get(field) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None
