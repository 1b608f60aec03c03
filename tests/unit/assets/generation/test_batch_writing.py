"""The batch API: the same events as the engine's, and whatever was handed in is found again and not paid twice."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from tests.unit.assets.generation.openai_batch_double import Answer, BatchDouble, completion
from tests.unit.resources.llm.helpers import FakeClock, request
from tip_assets.generation.batch_records import BatchRecords
from tip_assets.generation.batch_writing import BatchEngine
from tip_resources.llm.failures import CallFailed, CallImpossible
from tip_resources.llm.types import ChatRequest, Endpoint, Item, Message, RequestDone
from tip_resources.settings.models import EngineSettings

ONE_CALL = '{"calls": [{"call": 1, "turns": [{"speaker": "agent", "text": "Hello"}]}]}'


def ask(number: int) -> ChatRequest:
    return request(f"r{number}", items=1, messages=(Message("user", f"Write call {number}."),))


def numbers(double: BatchDouble) -> list[str]:
    return [body["messages"][0]["content"].removeprefix("Write call ").rstrip(".") for body in double.asked]


class Run:
    """What one run of the engine gave out."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.done: dict[str, RequestDone] = {}
        self.notices: list[str] = []


def run(
    double: BatchDouble, folder: Path, requests: Iterable[ChatRequest], *, stop_after: int | None = None, **more: Any
) -> Run:
    """Runs to the end, or is cut off like a killed process after so many looks at a batch."""
    seen, clock = Run(), FakeClock()
    endpoint = Endpoint(name="openai", url=double.url, model="gpt-4.1-mini", tier="openai")
    limits = EngineSettings(retries=1, unavailable_limit_seconds=60)

    async def go() -> None:
        engine = BatchEngine(
            endpoint,
            limits,
            BatchRecords(UPath(folder / "batches")),
            on_notice=lambda notice: seen.notices.append(notice.reason),
            clock=clock,
            **more,
        )
        async with engine:
            async for event in engine.run(requests):
                if isinstance(event, Item):
                    seen.items.append(event)
                else:
                    seen.done[event.request_id] = event
                if stop_after is not None and len(seen.items) >= stop_after:
                    return

    asyncio.run(go())
    return seen


def always(text: str = ONE_CALL) -> Answer:
    return lambda _body: (200, completion(text))


def test_the_answers_of_a_batch_become_items_and_ends(tmp_path: Path) -> None:
    with BatchDouble(always(), looks=3) as double:
        seen = run(double, tmp_path, [ask(n) for n in range(5)])
    assert {item.request_id for item in seen.items} == {f"r{n}" for n in range(5)}
    assert all((done.failure, done.items, done.tokens_in, done.tokens_out) == (None, 1, 100, 50)
               for done in seen.done.values())  # fmt: skip
    body = double.asked[0]
    assert "stream" not in body and body["max_completion_tokens"] == 500
    assert body["response_format"]["json_schema"]["strict"]
    assert any("in_progress: 0 of 5" in notice for notice in seen.notices)


def test_a_killed_run_finds_its_batch_again_and_asks_for_nothing_twice(tmp_path: Path) -> None:
    with BatchDouble(always()) as double:
        first = run(double, tmp_path, [ask(n) for n in range(20)], stop_after=7)
        # What the first run kept is not asked for by the second; the rest comes from the batch that was paid.
        kept = {item.request_id for item in first.items}
        second = run(double, tmp_path, [ask(n) for n in range(20) if f"r{n}" not in kept])
        assert len(kept) == 7
        assert len(second.done) == 13 and all(done.failure is None for done in second.done.values())
        assert len(double.batches) == 1


def test_a_batch_whose_making_went_unheard_is_looked_for_and_not_made_twice(tmp_path: Path) -> None:
    with BatchDouble(always()) as double:
        double.lose_replies_to = ["/batches"]
        assert len(run(double, tmp_path, [ask(1)]).items) == 1
        assert len(double.batches) == 1


def test_a_run_killed_between_making_and_hearing_of_it_finds_the_batch(tmp_path: Path) -> None:
    with BatchDouble(always()) as double:
        run(double, tmp_path, [ask(1)])
        for file in (tmp_path / "batches").glob("*-sent.json"):
            file.unlink()
        assert len(run(double, tmp_path, [ask(1)]).items) == 1
        assert len(double.batches) == 1


def test_an_upload_whose_reply_was_lost_is_sent_whole_again(tmp_path: Path) -> None:
    with BatchDouble(always()) as double:
        double.lose_replies_to = ["/files"]
        assert len(run(double, tmp_path, [ask(n) for n in range(3)]).items) == 3
        assert len(double.files["file-1"].splitlines()) == 3


def test_an_expired_batch_gives_what_it_has_and_a_later_run_asks_for_the_rest(tmp_path: Path) -> None:
    def half(body: dict[str, Any]) -> tuple[int, Any] | None:
        return (
            (200, completion(ONE_CALL))
            if body["messages"][0]["content"] in ("Write call 0.", "Write call 1.")
            else None
        )

    with BatchDouble(half, ends="expired") as double:
        seen = run(double, tmp_path, [ask(n) for n in range(4)])
        assert {name: done.failure for name, done in seen.done.items()} == {
            "r0": None, "r1": None, "r2": "timeout", "r3": "timeout",
        }  # fmt: skip
        assert (seen.done["r2"].tokens_in, seen.done["r2"].tokens_out) == (0, 0)
        double.answer, double.ends = always(), "completed"
        again = run(double, tmp_path, [ask(2), ask(3)])
        assert all(done.failure is None for done in again.done.values())
        assert numbers(double) == ["0", "1", "2", "3", "2", "3"]


def test_a_cancelled_batch_gives_what_it_has_and_is_not_sent_again_by_itself(tmp_path: Path) -> None:
    def first(body: dict[str, Any]) -> tuple[int, Any] | None:
        return (200, completion(ONE_CALL)) if body["messages"][0]["content"] == "Write call 0." else None

    with BatchDouble(first, ends="cancelled") as double:
        with pytest.raises(CallImpossible, match="was cancelled at OpenAI with 2 requests unanswered"):
            run(double, tmp_path, [ask(n) for n in range(3)])
        assert len(double.batches) == 1
        double.answer, double.ends = always(), "completed"
        assert len(run(double, tmp_path, [ask(0), ask(1), ask(2)]).items) == 3
        assert numbers(double) == ["0", "1", "2", "1", "2"]


def test_a_refused_batch_says_why(tmp_path: Path) -> None:
    errors = [{"code": "model_not_found", "message": "The model gpt-9 does not exist", "line": 1, "param": None}]
    with BatchDouble(always(), ends="failed", errors=errors) as double:
        done = run(double, tmp_path, [ask(1)]).done["r1"]
    assert done.failure == "model_missing"
    assert "gpt-9 does not exist" in done.detail


def test_an_option_the_model_refuses_is_left_out_and_only_the_refused_are_sent_again(tmp_path: Path) -> None:
    def no_temperature(body: dict[str, Any]) -> tuple[int, Any]:
        if "temperature" in body:
            return 400, {"error": {"message": "Unsupported value: 'temperature' does not support 0.8", "code": "x"}}
        return 200, completion(ONE_CALL)

    with BatchDouble(no_temperature) as double:
        seen = run(double, tmp_path, [ask(n) for n in range(3)])
        assert len(seen.items) == 3
        assert len(double.batches) == 2 and "temperature" not in double.asked[-1]


def test_trouble_of_the_server_is_tried_again_as_often_as_the_settings_say(tmp_path: Path) -> None:
    with BatchDouble(lambda _body: (500, {"error": {"message": "oh"}})) as double:
        done = run(double, tmp_path, [ask(1)]).done["r1"]
        assert (done.failure, done.attempts, len(double.batches)) == ("server_error", 2, 2)


def test_more_than_fits_a_file_becomes_several_batches(tmp_path: Path) -> None:
    with BatchDouble(always()) as double:
        seen = run(double, tmp_path, (ask(n) for n in range(25)), most_requests=10)
        assert len(seen.items) == 25
        assert [batch["request_counts"]["total"] for batch in double.batches.values()] == [10, 10, 5]


def test_an_answer_cut_off_or_unusable_ends_as_with_the_engine(tmp_path: Path) -> None:
    texts = iter([completion('{"calls": [{"call', finish_reason="length"), completion("I'm sorry, I cannot help.")])
    with BatchDouble(lambda _body: (200, next(texts))) as double:
        seen = run(double, tmp_path, [ask(1), ask(2)])
    assert [seen.done[name].failure for name in ("r1", "r2")] == ["truncated", "refusal"]
    assert seen.done["r1"].tokens_out == 50  # paid for, and so counted


def test_openai_out_of_reach_for_too_long_ends_the_run_and_the_next_goes_on(tmp_path: Path) -> None:
    with BatchDouble(always(), looks=10) as double:
        double.lose_replies_to = ["/files"] * 100
        with pytest.raises(CallFailed, match="the reply was lost"):
            run(double, tmp_path, [ask(1)])
        assert not double.batches
        double.lose_replies_to = []
        assert len(run(double, tmp_path, [ask(1)]).items) == 1


def test_two_requests_that_are_the_same_are_both_answered(tmp_path: Path) -> None:
    same = [request(name, items=1) for name in ("a", "b")]
    with BatchDouble(always()) as double:
        assert set(run(double, tmp_path, same).done) == {"a", "b"}
        assert json.loads(double.files["file-0"].splitlines()[1])["custom_id"].endswith("-2")
