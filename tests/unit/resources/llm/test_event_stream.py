"""Promises of the event reader: the same answer however its bytes are cut, and odd servers are understood."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tip_resources.llm.event_stream import ErrorInStream, EventStream
from tip_resources.llm.transport import Delta

USAGE = {"prompt_tokens": 11, "completion_tokens": 22}
END = [{"choices": [{"delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": USAGE}]


def says(text: str) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def written(documents: list[Any], line_end: str = "\n", begins: str = "data: ") -> bytes:
    lines = [begins + (entry if isinstance(entry, str) else json.dumps(entry)) for entry in documents]
    return "".join(line + 2 * line_end for line in lines).encode()


def read(*parts: bytes) -> tuple[Delta, EventStream]:
    stream = EventStream()
    heard = [delta for part in parts if (delta := stream.feed(part)) is not None]
    merged = Delta(
        text="".join(delta.text for delta in heard),
        refusal="".join(delta.refusal for delta in heard),
        finish_reason=next((delta.finish_reason for delta in heard if delta.finish_reason), None),
        tokens_in=next((delta.tokens_in for delta in heard if delta.tokens_in is not None), None),
        tokens_out=next((delta.tokens_out for delta in heard if delta.tokens_out is not None), None),
        is_token=any(delta.is_token for delta in heard),
        tokens=sum(delta.tokens for delta in heard),
    )
    return merged, stream


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(st.text(min_size=1, max_size=6), max_size=6),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    begins=st.sampled_from(["data: ", "data:", ": ping\ndata: ", "event: message\nid: 7\ndata: "]),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_any_cut_of_the_bytes_gives_the_same_answer(
    texts: list[str], line_end: str, begins: str, cuts: list[int]
) -> None:
    whole = written([*map(says, texts), *END, "[DONE]"], line_end, begins.replace("\n", line_end))
    places = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    heard, stream = read(*(whole[start:end] for start, end in pairwise(places)))
    expected = Delta("".join(texts), "", "stop", 11, 22, bool(texts), len(texts))
    if line_end == "\r":  # the last one may be half of a line's end, so the event waits for what follows
        assert heard == expected and not stream.is_done
        stream.feed(b"\r")
    assert (heard, stream.is_done, stream.fault) == (expected, True, None)


def test_one_read_gives_one_delta_that_counts_its_tokens() -> None:
    reasoning = {"choices": [{"delta": {"reasoning_content": "hm"}}]}
    opening = {"choices": [{"delta": {"role": "assistant", "content": ""}}]}
    delta = EventStream().feed(written([opening, reasoning, says("a"), says("b")]))
    assert delta == Delta(text="ab", is_token=True, tokens=3)


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [{"delta": {"content": 7, "refusal": []}}]},
        {"choices": [{"delta": "hello"}]},
        {"choices": ["hello"]},
        {"choices": {"0": {}}},
        {"choices": [None]},
        {"choices": None, "usage": None},
        {"usage": {"prompt_tokens": "many", "completion_tokens": -1}},
        {"error": None},
        ["no", "object"],
        12,
    ],
)
def test_fields_of_odd_types_say_nothing_and_hide_nothing(chunk: Any) -> None:
    heard, stream = read(written([says("a"), chunk, says("b"), "[DONE]"]))
    assert (heard, stream.is_done, stream.fault) == (Delta(text="ab", is_token=True, tokens=2), True, None)


def test_halves_of_a_character_pass_through() -> None:
    heard, _ = read(b'data: {"choices": [{"delta": {"content": "\\ud83d"}}]}\n\n')
    assert heard.text == "\ud83d"


def test_words_that_look_like_the_format_are_only_words() -> None:
    text = "x\n\ndata: [DONE]\n\ndata: {"
    heard, stream = read(written([says(text)]))
    assert (heard.text, stream.is_done) == (text, False)


def test_data_over_several_lines_is_one_document() -> None:
    heard, _ = read(b'data: {"choices":\ndata: [{"delta": {"content": "a"}}]}\n\n')
    assert heard.text == "a"


@pytest.mark.parametrize("broken", [b"data: {broken\n\n", b"data: \xff\xfe\n\n", b"data: " + b"[" * 100_000 + b"\n\n"])
def test_what_came_before_a_broken_event_is_not_lost(broken: bytes) -> None:
    heard, stream = read(written([says("a")]) + broken)
    assert heard.text == "a"
    assert isinstance(stream.fault, ValueError)


def test_an_error_object_comes_after_what_was_said_before_it() -> None:
    heard, stream = read(written([says("a"), {"error": {"message": "out of memory"}}, says("b")]))
    assert heard.text == "a"
    assert isinstance(stream.fault, ErrorInStream) and stream.fault.body == {"message": "out of memory"}


def test_an_event_that_was_not_ended_is_not_read() -> None:
    heard, stream = read(written([says("a")]), b'data: {"choices": [{"delta": {"content": "b')
    assert (heard.text, stream.fault) == ("a", None)


def test_an_answer_in_very_many_reads_costs_no_more_than_its_length() -> None:
    stream = EventStream()
    for _ in range(20_000):
        stream.feed(b"x" * 100)  # two megabytes without an end of line
    assert stream.feed(b"\n\n" + written([says("a")])) == Delta(text="a", is_token=True, tokens=1)
