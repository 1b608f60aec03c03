"""Promises of the engine on one endpoint: whatever a server does, nothing is lost and the reason is said."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from tests.unit.resources.llm.helpers import DEAD_URL, Seen, calls_text, collect, request, settings
from tests.unit.resources.llm.scripted_server import (
    Reply,
    ScriptedServer,
    answers,
    hangs,
    never_ends,
    resets,
    says,
    sends_raw,
)
from tip_resources.llm.types import ChatRequest, Endpoint

GOOD = says(calls_text())


def ask(replies: Sequence[Reply], asked: ChatRequest | None = None, **changes: Any) -> tuple[Seen, ScriptedServer]:
    """One request against one server."""

    async def scenario() -> tuple[Seen, ScriptedServer]:
        async with ScriptedServer(replies) as server:
            return await collect([server.endpoint()], [asked or request()], settings(**changes)), server

    return asyncio.run(scenario())


def test_a_good_answer_yields_its_items_and_then_its_end() -> None:
    seen, server = ask([GOOD])
    assert [item.value["call"] for item in seen.items] == [1, 2]
    assert [item.position for item in seen.items] == [0, 1]
    done = seen.only
    assert (done.failure, done.items, done.attempts) == (None, 2, 1)
    assert (done.tokens_in, done.tokens_out, done.finish_reason) == (11, 22, "stop")
    assert done.call_id == seen.items[0].call_id
    assert len(done.request_hash) == 64
    assert server.asked[0].body["response_format"]["type"] == "json_schema"
    assert server.asked[0].body["stream_options"] == {"include_usage": True}
    assert server.asked[0].body["max_tokens"] == 500


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (answers(500, {"error": {"message": "boom"}}), "server_error"),
        (answers(503, "loading"), "overloaded"),
        (resets(), "connect"),
        (resets('{"calls": [{"a"'), "reset"),
        (sends_raw(b"data: {broken json\n\n"), "reset"),
        (sends_raw(b"data: \xff\xfe\n\n"), "reset"),
        (sends_raw(b'data: {"error": {"message": "CUDA out of memory"}}\n\n'), "server_error"),
        (says('{"calls": [{"a": ', finish=None, usage=False), "reset"),
    ],
)
def test_a_passing_fault_is_tried_again_after_a_second(fault: Reply, kind: str) -> None:
    seen, _ = ask([fault, GOOD])
    done = seen.only
    assert (done.failure, done.items, done.attempts) == (None, 2, 2)
    assert done.failures_by_kind == {kind: 1}
    assert 0.7 <= seen.clock.slept[0] <= 1.3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (says(""), "empty"),
        (says("This is no JSON at all."), "invalid_output"),
        (says('{"calls": []}'), "invalid_output"),
    ],
)
def test_an_answer_that_cannot_be_used_is_asked_for_again_at_once(fault: Reply, kind: str) -> None:
    seen, _ = ask([fault, GOOD])
    assert (seen.only.failure, seen.only.items, seen.only.failures_by_kind) == (None, 2, {kind: 1})
    assert sum(seen.clock.slept) < 0.1


def test_waits_grow_and_end_in_a_failure_with_its_reason() -> None:
    seen, server = ask([answers(500, "boom")], breaker_failures=99)
    done = seen.only
    assert (done.failure, done.attempts, len(server.asked)) == ("server_error", 5, 5)
    assert "box answered HTTP 500: boom" in done.detail
    assert [round(seconds / 2**n) for n, seconds in enumerate(seen.clock.slept)] == [1, 1, 1, 1]


def test_silence_before_the_first_token_ends_the_call() -> None:
    seen, _ = ask([hangs(), GOOD], first_token_timeout_seconds=0.2)
    assert seen.only.failure is None
    assert seen.only.failures_by_kind == {"timeout": 1}


def test_silence_between_tokens_ends_the_call_but_keeps_what_was_finished() -> None:
    seen, server = ask([hangs('{"calls": [{"a": 1}, {"b"')], between_tokens_timeout_seconds=0.2)
    assert [item.value for item in seen.items] == [{"a": 1}]
    assert (seen.only.failure, seen.only.items, len(server.asked)) == ("timeout", 1, 1)
    assert "between two tokens" in seen.only.detail


def test_a_truncated_answer_still_yields_its_finished_calls_and_is_not_asked_again() -> None:
    seen, server = ask([says('{"calls": [{"a": 1}, {"b": 2}, {"c', finish="length")], request(items=5))
    assert [item.value for item in seen.items] == [{"a": 1}, {"b": 2}]
    assert (seen.only.failure, seen.only.items, len(server.asked)) == ("truncated", 2, 1)
    assert "2 of 5 items" in seen.only.detail


def test_items_already_given_out_are_not_asked_again_after_a_reset() -> None:
    seen, server = ask([resets('{"calls": [{"a": 1}, {"b"'), GOOD])
    assert (seen.only.failure, seen.only.items, len(server.asked)) == ("reset", 1, 1)


def test_a_connection_that_breaks_after_the_last_item_is_a_success() -> None:
    seen, _ = ask([resets(calls_text()[:-2])])
    assert (seen.only.failure, seen.only.items) == (None, 2)


def test_an_answer_spent_on_reasoning_says_so() -> None:
    seen, _ = ask([says("<think>hm hm", finish="length")])
    assert seen.only.failure == "truncated"
    assert "spent on reasoning" in seen.only.detail


def test_reasoning_models_are_read_through_their_tags() -> None:
    seen, _ = ask([says(f"<think>first I plan {{</think>\n```json\n{calls_text()}\n```")])
    assert (seen.only.failure, seen.only.items) == (None, 2)


def test_reasoning_beside_the_answer_counts_as_life_not_as_text() -> None:
    chunks = [b'data: {"choices": [{"delta": {"reasoning_content": "hm"}}]}\n\n']
    chunks += [b'data: {"choices": [{"delta": {"content": "[{\\"a\\": 1}]"}, "finish_reason": "stop"}]}\n\n']
    seen, _ = ask([sends_raw(*chunks)], request(items=1))
    assert (seen.only.failure, seen.only.raw_text) == (None, '[{"a": 1}]')


def test_a_whole_answer_with_too_few_items_is_a_success_that_says_so() -> None:
    seen, _ = ask([says(calls_text(1))], request(items=3))
    assert (seen.only.failure, seen.only.items) == (None, 1)
    assert "1 of 3 items" in seen.only.detail


def test_more_items_than_asked_are_cut_off() -> None:
    seen, _ = ask([says(calls_text(6))], request(items=2))
    assert (seen.only.failure, seen.only.items, len(seen.items)) == (None, 2, 2)


def test_an_endless_answer_is_cut_off() -> None:
    seen, _ = ask([never_ends('{"x": "' + "blah " * 200)], request(max_output_tokens=10))
    assert seen.only.failure == "truncated"
    assert "ignored the limit" in seen.only.detail


def test_an_endless_stream_without_any_token_is_cut_off_by_its_bytes() -> None:
    async def floods(writer: asyncio.StreamWriter) -> None:
        await sends_raw(*([b": nothing to say " + b"x" * 100_000] * 30))(writer)

    seen, _ = ask([floods, GOOD], max_answer_megabytes=1)
    assert "sent more than 1 MB" in seen.only.detail


@pytest.mark.parametrize(
    "reply",
    [
        says("I'm sorry, but I can't help with that."),
        sends_raw(b'data: {"choices": [{"delta": {"refusal": "No."}, "finish_reason": "stop"}]}\n\n'),
        says('{"calls": [', finish="content_filter"),
    ],
)
def test_a_refusal_is_not_asked_again_of_the_same_endpoint(reply: Reply) -> None:
    seen, server = ask([reply])
    assert (seen.only.failure, len(server.asked)) == ("refusal", 1)


def test_overload_waits_as_long_as_the_server_asks_and_loses_nothing() -> None:
    seen, _ = ask([answers(429, "slow down", Retry_After="17"), answers(429, "still", Retry_After="5"), GOOD])
    assert (seen.only.failure, seen.only.attempts) == (None, 3)
    assert [round(seconds) for seconds in seen.clock.slept] == [17, 5]


def test_overload_may_last_longer_than_the_retries() -> None:
    seen, _ = ask([answers(429, "slow down")] * 12 + [GOOD])
    assert (seen.only.failure, seen.only.attempts) == (None, 13)


def test_overload_without_an_end_is_given_up_with_the_reason() -> None:
    seen, _ = ask([answers(429, "quota", Retry_After="60")], unavailable_limit_seconds=200)
    assert seen.only.failure == "overloaded"
    assert "for 2" in seen.only.detail
    assert "quota" in seen.only.detail


def test_a_web_page_is_no_model_server_and_nobody_waits_for_it() -> None:
    page = answers(200, "<html><body>Welcome</body></html>", Content_Type="text/html")
    seen, server = ask([page])
    assert (seen.only.failure, len(server.asked)) == ("protocol", 1)
    assert "not an OpenAI-compatible server" in seen.only.detail


def test_a_wrong_model_name_lists_the_served_ones() -> None:
    async def scenario() -> Seen:
        reply = answers(404, {"error": {"message": "The model `phi-5` does not exist"}})
        async with ScriptedServer([reply]) as server:
            return await collect([server.endpoint(model="phi-5")], [request("a"), request("b")])

    seen = asyncio.run(scenario())
    assert {done.failure for done in seen.done.values()} == {"model_missing"}
    assert "does not serve the model 'phi-5'. It serves: phi-4." in seen.done["a"].detail


def test_a_model_that_is_being_loaded_is_waited_for() -> None:
    seen, _ = ask([answers(404, {"error": "Model unloaded."}), GOOD])
    assert (seen.only.failure, seen.only.failures_by_kind) == (None, {"model_missing": 1})


def test_a_refused_key_ends_all_requests_at_once_and_names_the_variable() -> None:
    async def scenario() -> Seen:
        async with ScriptedServer([answers(401, {"error": {"message": "bad key s3cret"}})]) as server:
            endpoint = server.endpoint(api_key=SecretStr("s3cret"), api_key_env="BOX_KEY", concurrency=1)
            return await collect([endpoint], [request(str(n)) for n in range(20)])

    seen = asyncio.run(scenario())
    assert {done.failure for done in seen.done.values()} == {"auth"}
    assert all("BOX_KEY" in done.detail and "s3cret" not in done.detail for done in seen.done.values())
    assert sum(done.attempts for done in seen.done.values()) == 1


def test_a_context_overflow_is_told_at_once() -> None:
    seen, server = ask([answers(400, {"error": {"message": "maximum context length is 4096 tokens"}})])
    assert (seen.only.failure, len(server.asked)) == ("context_overflow", 1)


def test_a_server_without_structured_output_gets_the_schema_in_words_from_then_on() -> None:
    refusal = answers(400, {"error": {"message": "response_format is not supported"}})

    async def scenario() -> tuple[Seen, ScriptedServer]:
        async with ScriptedServer([refusal, GOOD]) as server:
            endpoint = server.endpoint(concurrency=1)
            return await collect([endpoint], [request("a"), request("b")]), server

    seen, server = asyncio.run(scenario())
    assert all(done.failure is None and done.attempts == 1 for done in seen.done.values())
    assert ["response_format" in asked.body for asked in server.asked] == [True, False, False]
    assert "JSON schema" in server.asked[1].body["messages"][0]["content"]


def test_a_server_that_refuses_the_usage_report_is_asked_without_it() -> None:
    seen, server = ask([answers(422, {"detail": "extra field stream_options"}), says(calls_text(), usage=False)])
    assert (seen.only.failure, seen.only.tokens_out) == (None, None)
    assert "stream_options" not in server.asked[1].body
    assert "response_format" in server.asked[1].body


def test_a_server_that_does_not_stream_is_understood() -> None:
    message = {"role": "assistant", "content": calls_text()}
    whole = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"completion_tokens": 9}}
    seen, _ = ask([answers(200, whole)])
    assert (seen.only.failure, seen.only.items, seen.only.tokens_out) == (None, 2, 9)


def test_plain_text_comes_without_items_and_without_reasoning() -> None:
    seen, _ = ask([says("<think>hm</think>A summary.")], request(json_schema=None))
    assert (seen.items, seen.only.raw_text, seen.only.failure) == ([], "A summary.", None)


def test_a_closed_server_is_waited_for_with_words_and_then_given_up() -> None:
    dead = Endpoint(name="lm", url=DEAD_URL, model="phi-4")
    seen = asyncio.run(collect([dead], [request()], settings(unavailable_limit_seconds=300)))
    assert seen.only.failure == "connect"
    assert "cannot be reached" in seen.only.detail
    assert seen.clock.seconds - 1000 >= 300
    (waiting,) = [notice for notice in seen.notices if notice.kind == "waiting"]
    assert "Is the server running?" in waiting.reason


@pytest.mark.parametrize("limit", [1, 3, 10, 60])
def test_one_question_to_a_closed_server_is_given_up_when_patience_ends(limit: float) -> None:
    # As ask_json asks. The one request must not sleep through the time in which the pool could give it up.
    dead = Endpoint(name="lm", url=DEAD_URL, model="phi-4")
    quick = settings(unavailable_limit_seconds=limit, breaker_failures=2, retries=1)
    seen = asyncio.run(collect([dead], [request()], quick))
    assert seen.only.failure == "connect"
    # The first wait, for what may be an accident, is a second or a little more; it is no outage yet.
    assert limit <= seen.clock.seconds - 1000 <= limit + 2


def test_a_server_that_comes_back_within_the_limit_loses_nothing() -> None:
    seen, _ = ask([resets()] * 12 + [GOOD], retries=50)
    assert seen.only.failure is None
    kinds = [notice.kind for notice in seen.notices if notice.kind != "retrying"]
    assert kinds[:2] == ["endpoint_out", "waiting"]
    assert kinds[-2:] == ["endpoint_back", "resumed"]
