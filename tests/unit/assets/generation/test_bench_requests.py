"""The benchmark's requests: countable from outside, made for a prefix cache, and judged by the schema alone."""

from typing import Any

import jsonschema
import pytest

from tip_assets.generation.bench_requests import SCHEMA, answer_in, bench_request, index_of

TURN = {"speaker": "agent", "text": "Hello."}


def test_every_request_carries_its_token_last_and_shares_what_comes_before() -> None:
    requests = [bench_request(index, 1200) for index in (0, 35, 999_999)]
    prompts = ["\n".join(message.content for message in request.messages) for request in requests]
    assert [prompt[-9:] for prompt in prompts] == ["RID000000", "RID000035", "RID999999"]
    shared = prompts[0][:600]
    assert all(prompt.startswith(shared) for prompt in prompts)
    assert [index_of(request.request_id) for request in requests] == [0, 35, 999_999]


@pytest.mark.parametrize(
    "document",
    [
        {"turns": [TURN]},
        {"turns": []},
        {"turns": [{**TURN, "speaker": "customer", "text": ""}]},
        {},
        [],
        None,
        {"turns": None},
        {"turns": [TURN], "more": 1},
        {"turns": [{**TURN, "more": 1}]},
        {"turns": [{"speaker": "agent"}]},
        {"turns": [{**TURN, "speaker": "robot"}]},
        {"turns": [{**TURN, "text": 5}]},
        {"turns": [{**TURN, "text": None}]},
        {"turns": {"0": TURN}},
    ],
)
def test_an_answer_counts_exactly_when_it_satisfies_the_schema(document: Any) -> None:
    is_valid = jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
    assert (answer_in(document) is not None) == is_valid
