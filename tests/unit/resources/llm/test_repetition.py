"""Promises of the watch for loops: a loop ends the call early and keeps what was finished; talk is never a loop."""

import asyncio
import json
from random import Random

import pytest

from tests.unit.resources.llm.helpers import Seen, collect, request
from tests.unit.resources.llm.scripted_server import ScriptedServer, never_ends, says
from tests.unit.resources.rehearsal.dialogue_plans import DOMAINS, plan_of
from tests.unit.resources.rehearsal.serving import plans_prompt, served
from tip_resources.llm.repetition import RepetitionWatch, repeats_itself
from tip_resources.llm.types import Endpoint, Message
from tip_resources.rehearsal.dialogue.writer import write_call

BEGUN = json.dumps({"turns": write_call(plan_of("retail"), "s")})[:3000]


def hears_a_loop(text: str, size: int = 5) -> bool:
    watch = RepetitionWatch()
    for at in range(0, len(text), size):
        watch.hear(text[at : at + size])
        if watch.is_repeating:
            return True
    return False


@pytest.mark.parametrize("domain", DOMAINS)
def test_ordinary_dialogues_are_no_loops_however_they_are_laid_out(domain: str) -> None:
    for variation in range(25):
        turns = write_call(plan_of(domain, variation=variation, exchanges=(30, 60)), "s")
        assert not hears_a_loop(json.dumps({"turns": turns}, indent=variation % 3 or None))
        assert not hears_a_loop("\n".join(f"{turn['speaker']}: {turn['text']}" for turn in turns))


def test_rows_of_equal_shape_are_no_loop() -> None:
    chance = Random(3)
    rows = [{"score": chance.randint(1, 5), "start_ms": chance.randint(0, 99999), "ok": True} for _ in range(400)]
    assert not hears_a_loop(json.dumps(rows))


@pytest.mark.parametrize(
    "loop",
    [
        "\n",
        "ha",
        "I understand, let me check that for you. ",
        '{"speaker": "agent", "text": "Thank you."}, {"speaker": "customer", "text": "You are welcome."}, ',
        "Well, as I said before, " + "there is one more thing that has to be told, " * 3 + "and then we begin again. ",
        "".join(f"this is part {n} of a very long sentence that wanders, " for n in range(18)),
    ],
)
def test_a_loop_is_heard_before_much_is_spent(loop: str) -> None:
    assert not hears_a_loop(BEGUN)
    assert hears_a_loop(BEGUN + loop * (max(5000, 7 * len(loop)) // len(loop)))


def test_a_sentence_that_comes_again_with_a_counter_is_a_loop() -> None:
    turns = [{"turn": n, "text": "Is there anything else I can do for you today?"} for n in range(150)]
    assert hears_a_loop(BEGUN + json.dumps(turns))


def test_what_is_said_five_times_is_no_loop_yet() -> None:
    turn = '{"speaker": "agent", "text": "' + "word by word and so on " * 4 + str(Random(1).random()) + '"}, '
    assert not repeats_itself(BEGUN + turn * 5)


def test_a_finished_item_is_progress() -> None:
    watch = RepetitionWatch()
    for _ in range(100):
        watch.hear('{"call": 1, "reason": "Nothing in this call is wrong or even strange."}, ')
        watch.item_closed()
    assert not watch.is_repeating


def test_a_looping_answer_is_cut_off_and_its_finished_items_are_kept() -> None:
    async def scenario() -> Seen:
        async def loops(writer: asyncio.StreamWriter) -> None:
            await never_ends_after('{"calls": [{"a": 1}, {"b": "', "and then I said no, ")(writer)

        async with ScriptedServer([loops]) as server:
            return await collect([server.endpoint()], [request(max_output_tokens=1_000_000)])

    seen = asyncio.run(scenario())
    assert [item.value for item in seen.items] == [{"a": 1}]
    assert (seen.only.failure, seen.only.items, seen.only.attempts) == ("repetition", 1, 1)
    assert "over and over" in seen.only.detail and "1 of 2 items" in seen.only.detail
    assert len(seen.only.raw_text) < 1_000_000  # of 16 million until it counts as endless


def test_a_looping_answer_without_items_is_asked_again() -> None:
    async def scenario() -> Seen:
        good = says('{"calls": [{"a": 1}, {"b": 2}]}')
        async with ScriptedServer([never_ends_after("", "no " * 10), good]) as server:
            return await collect([server.endpoint()], [request(max_output_tokens=1_000_000)])

    seen = asyncio.run(scenario())
    assert (seen.only.failure, seen.only.items, seen.only.failures_by_kind) == (None, 2, {"repetition": 1})


def test_the_loop_of_the_rehearsal_server_is_heard_as_one() -> None:
    with served(faults={"repetition": 1.0}) as url:
        endpoint = Endpoint(name="rehearsal", url=url, model="rehearsal")
        messages = tuple(Message(message["role"], message["content"]) for message in plans_prompt())  # type: ignore[arg-type]
        asked = request(messages=messages, max_output_tokens=4000)
        seen = asyncio.run(collect([endpoint], [asked]))
    assert seen.only.failure == "repetition"


def never_ends_after(start: str, loop: str):
    """Says something once and then the same for ever."""
    forever = never_ends(loop)

    async def reply(writer: asyncio.StreamWriter) -> None:
        first = True
        write = writer.write

        def with_start(data: bytes) -> None:
            nonlocal first
            write(data)
            if first and b"\r\n\r\n" in data:
                first = False
                event = b"data: " + json.dumps({"choices": [{"delta": {"content": start}}]}).encode() + b"\n\n"
                write(b"%x\r\n%s\r\n" % (len(event), event))

        writer.write = with_start  # type: ignore[method-assign]
        await forever(writer)

    return reply
