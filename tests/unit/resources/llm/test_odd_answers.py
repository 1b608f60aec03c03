"""Answers of servers that do not keep to the protocol, over real HTTP: each is read, or ends with a kind and words."""

import asyncio
import gzip
import json
from random import Random
from typing import Any

import pytest

from tests.unit.resources.llm.helpers import Seen, calls_text, collect, request, settings
from tests.unit.resources.llm.scripted_server import Reply, ScriptedServer, answers, respond, says, sends_raw

ONE = {"call": 1, "turns": [{"speaker": "agent", "text": "Gr\u00fc\u00dfe aus K\u00f6ln"}]}
DEEP = 10_000
LATIN = b'data: {"choices": [{"delta": {"content": "K\xf6ln"}}]}\n\n'
# More than Python turns into a number, and no loop that the engine would cut off as one.
DIGITS = "".join(Random(3).choices("123456789", k=5000))


def ends(reply: Reply, items: int = 1) -> Seen:
    async def scenario() -> Seen:
        async with ScriptedServer([reply]) as server:
            return await collect([server.endpoint()], [request(items=items)], settings(unavailable_limit_seconds=30))

    return asyncio.run(scenario())


def body(content: bytes, kind: str = "application/json", **headers: str) -> Reply:
    """A whole answer of these bytes."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await respond(writer, 200, content, {"Content-Type": kind, **named})

    return reply


def whole(call: Any = ONE, **more: Any) -> str:
    content = json.dumps({"calls": [call]}, ensure_ascii=False)
    return json.dumps({"choices": [{"message": {"content": content}}], **more}, ensure_ascii=False)


READ = {
    "UTF-8 with a mark": body(b"\xef\xbb\xbf" + whole().encode(), "application/json; charset=utf-8-sig"),
    "UTF-16 that says so": body(whole().encode("utf-16"), "application/json; charset=utf-16"),
    "UTF-16 that does not": body(whole().encode("utf-16-le")),
    "Latin-1 that says so": body(whole().encode("latin-1"), "application/json; charset=ISO-8859-1"),
    "a charset nobody knows": body(whole().encode(), "application/json; charset=klingon"),
    "a charset it is not in": body(whole().encode("utf-16"), "application/json; charset=utf-8"),
    "said to be packed, and is not": body(whole().encode(), Content_Encoding="gzip"),
    "one key twice": says('{"calls": [{"turns": []}], "calls": [' + json.dumps(ONE) + "]}"),
    "text behind the answer": says(json.dumps({"calls": [ONE]}) + "\n\nI hope this helps!"),
}


@pytest.mark.parametrize("reply", READ.values(), ids=READ)
def test_what_can_be_read_is_read(reply: Reply) -> None:
    seen = ends(reply)
    assert seen.only.failure is None
    assert seen.items[0].value in (ONE, {"turns": []})


REFUSED = {
    "a web page that says it is JSON": (body(b"<!DOCTYPE html><html>Sign in"), "protocol", "a web page"),
    "half of a document": (body(whole().encode()[:40]), "protocol", "no valid JSON"),
    "nothing at all": (body(b""), "protocol", "no valid JSON"),
    "another document": (body(b'{"answer": 42}'), "protocol", "no chat completion"),
    "a list": (body(b"[]"), "protocol", "no chat completion"),
    "choices that are none": (body(b'{"choices": null}'), "protocol", "no chat completion"),
    "no choices": (body(b'{"choices": []}'), "empty", "empty answer"),
    "a choice that is none": (body(b'{"choices": [null]}'), "empty", "empty answer"),
    "content that is a number": (body(b'{"choices": [{"message": {"content": 5}}]}'), "empty", "empty answer"),
    "an error that came with 200": (body(b'{"error": {"message": "CUDA out of memory"}}'), "server_error", "CUDA"),
    "an error in words": (body(b'{"error": "out of cheese"}'), "server_error", "out of cheese"),
    "an error that is too deep": (body(b'{"error": ' + b"[" * DEEP), "protocol", "no valid JSON"),
    "Latin-1 that says nothing": (body(whole().encode("latin-1")), "protocol", "JSON that is not UTF-8"),
    "Latin-1 in a stream": (sends_raw(LATIN), "reset", "not JSON"),
    "UTF-16 in a stream": (sends_raw("data: {}\n\n".encode("utf-16")), "empty", "empty answer"),
    "packed, which nobody asked for": (body(gzip.compress(whole().encode()), Content_Encoding="gzip"), "protocol", ""),
    "an event that is too deep": (sends_raw(b"data: " + b'{"a":' * DEEP + b"\n\n"), "reset", "not JSON"),
    "numbers JSON does not have": (says('{"calls": [{"a": NaN}, -Infinity]}'), "invalid_output", "no usable"),
    "a number too large to hold": (says('{"calls": [{"a": 1e999}]}'), "invalid_output", "no usable JSON"),
    "a number of 5,000 digits": (says('{"calls": [{"a": ' + DIGITS + "}]}"), "invalid_output", "no usable JSON"),
    "an item that is too deep": (
        says('{"calls": [{"a":' + "[" * 3000 + "]" * 3000 + "}]}", size=6100), "invalid_output", "no usable JSON"
    ),
    "JSON of another shape": (says('{"transcripts": "none"} and no more', finish="stop"), None, ""),
    "a refusal as text": (says("I cannot help with that."), "refusal", "declined"),
    "an error page with 500": (answers(500, "<html>Bad Gateway</html>"), "server_error", "HTTP 500"),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "kind", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_ends_with_its_kind_and_words(reply: Reply, kind: str | None, words: str) -> None:
    done = ends(reply).only
    assert done.failure == kind
    assert words in done.detail
    assert done.detail.isascii() and len(done.detail) < 1000


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"a \ud800 b"', "a \ufffd b"),
        ('"a \x00\x07\x1b b\nc"', "a \x00\x07\x1b b\nc"),
        ('"\u202e\ufeff"', "\u202e\ufeff"),
    ],
)
def test_odd_characters_of_an_item_arrive_as_text_that_can_be_written_down(written: str, read: str) -> None:
    (item,) = ends(says('{"calls": [{"text": ' + written + "}]}", size=1)).items
    assert item.value == {"text": read}
    item.value["text"].encode()


@pytest.mark.parametrize("count", ["1e999", "NaN", "-1", "1.5", "true", '"9"', "1" + "0" * 30, "[]"])
def test_a_count_of_tokens_that_is_none_is_unknown(count: str) -> None:
    usage = f', "usage": {{"prompt_tokens": {count}, "completion_tokens": {count}}}}}'
    assert ends(body((whole()[:-1] + usage).encode())).only.tokens_out is None
    event = b'data: {"choices": []' + usage.encode() + b"\n\n"
    content = json.dumps({"choices": [{"delta": {"content": calls_text(1)}, "finish_reason": "stop"}]}).encode()
    streamed = ends(sends_raw(b"data: " + content + b"\n\n", event)).only
    assert (streamed.failure, streamed.tokens_in, streamed.tokens_out) == (None, None, None)
