"""Any bytes at all from a model server: text, items and a reason, never an exception of ours."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fuzzing import few, many
from tip_resources.domain.codec import to_json
from tip_resources.llm.event_stream import ErrorInStream, EventStream
from tip_resources.llm.json_values import parse_value
from tip_resources.llm.salvage import Salvage

ODD = st.sampled_from(
    [
        *("1e999", "-1e999", "NaN", "Infinity", "9" * 5000, "0" * 30, "[" * 1_500, '{"a":' * 1_500, "[1,]"),
        *('"\\ud800"', '"\\udc00\\ud800"', '"\x00\x01"', '{"a":1,"a":2}', "<think>", "</think>"),
        *("```json", "```", "null", '"', "\\", '{"calls":[', '{"turns":[]}', "]}", "],", ",", ":", "true"),
        *("\ufeff", "\u2028", '{"calls":{"calls":[1]}}', "]]"),
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(ODD, st.text(max_size=12), st.text('{}[]",:\\ \n01eE.-', max_size=20)), max_size=8).map(
    "".join
)


def chunk(text: str) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}}]}


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.builds(lambda text: b"data: " + text.encode("utf-8", "replace") + b"\n\n", TEXTS),
        TEXTS.map(lambda text: b"data: " + json.dumps(chunk(text)).encode() + b"\r\n\r\n"),
        st.sampled_from([b"data: [DONE]\n\n", b'data: {"error": {"message": "no"}}\n\n']),
        st.sampled_from([b"event: x\n", b"\r", b": hi\n\n"]),
        st.sampled_from([b"\xff\xfe", b"\xef\xbb\xbf", "data: {}\n\n".encode("utf-16"), b"\x1f\x8b\x08"]),
    ),
    max_size=8,
)  # fmt: skip


def is_writable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(is_writable, value.values()))
    return all(map(is_writable, value)) if isinstance(value, list) else True


def is_parsed_or_refused(text: str) -> None:
    try:
        value = parse_value(text)
    except ValueError:
        return
    assert is_writable(value)
    to_json(value)  # what is parsed can be written down again


def is_salvaged(text: str, cut: int) -> None:
    for key in ("calls", None):
        whole, halves = Salvage(key), Salvage(key)
        found = whole.feed(text) + whole.finish()
        split = halves.feed(text[:cut]) + halves.feed(text[cut:]) + halves.finish()
        assert [one.raw_text for one in found] == [one.raw_text for one in split]
        for one in found:
            to_json(one.value)


def is_streamed(pieces: list[bytes]) -> None:
    stream = EventStream()
    for piece in pieces:
        delta = stream.feed(piece)
        assert delta is None or isinstance(delta.text, str)
    assert stream.fault is None or isinstance(stream.fault, ErrorInStream | ValueError)


@few(80)
@given(TEXTS)
def test_any_value_is_parsed_or_refused(text: str) -> None:
    is_parsed_or_refused(text)


@few(80)
@given(TEXTS, st.integers(0, 60))
def test_any_answer_is_salvaged_however_it_is_cut(text: str, cut: int) -> None:
    is_salvaged(text, cut)


@few(80)
@given(PIECES)
def test_any_bytes_are_a_stream_or_a_fault(pieces: list[bytes]) -> None:
    is_streamed(pieces)


@many(1_500)
@given(TEXTS, st.integers(0, 60), PIECES)
def test_any_answer_is_read_many_times(text: str, cut: int, pieces: list[bytes]) -> None:
    is_parsed_or_refused(text)
    is_salvaged(text, cut)
    is_streamed(pieces)
