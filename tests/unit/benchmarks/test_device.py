"""The simulated device keeps to its physics. Time here is the device's own; nothing is asserted about ours."""

import asyncio
import json

import pytest

from benchmarks.engine.cases import DeviceSpec
from benchmarks.engine.processes import Running, device
from benchmarks.engine.speed import Change, Speed

FAST = 0.002


async def _ask(server: Running, rid: int) -> bytes:
    """One request on a connection of its own; all that came back until the connection ended or the answer did."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = b'{"stream": true, "prompt": "RID%06d"}' % rid
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    came = b""
    try:
        while part := await reader.read(65536):
            came += part
            if came.endswith(b"0\r\n\r\n") or b"content-length" in came:
                break
    except ConnectionResetError:
        came += b"(reset)"
    writer.close()
    return came


def ask_all(server: Running, rids: list[int]) -> list[bytes]:
    async def run() -> list[bytes]:
        return await asyncio.gather(*(_ask(server, rid) for rid in rids))

    return asyncio.run(run())


def test_streams_beyond_the_slots_wait_without_a_word_and_are_answered_in_the_end() -> None:
    with device(DeviceSpec(slots=3), time_scale=FAST, seed=0) as server:
        answers = ask_all(server, list(range(10)))
        stats = server.stats()
    assert all(b"data: [DONE]" in answer for answer in answers)
    assert max(int(streams) for streams in stats["active_seconds"]) == 3
    assert stats["answered"] == stats["requests"] == 10


def test_it_counts_what_is_asked_again_after_it_was_answered() -> None:
    with device(DeviceSpec(), time_scale=FAST, seed=0) as server:
        ask_all(server, [1, 2])
        ask_all(server, [2, 3])
        stats = server.stats()
    assert (stats["requests"], stats["answered"], stats["repeats_of_answered"]) == (4, 3, 1)


def test_all_tokens_and_no_more_are_written_at_the_speed_of_the_streams() -> None:
    from benchmarks.engine.answers import answer_tokens

    with device(DeviceSpec(), time_scale=FAST, seed=0) as server:
        ask_all(server, list(range(12)))
        stats = server.stats()
    written = sum(answer_tokens(f"RID{index:06d}", 600) for index in range(12))
    assert stats["tokens"] == pytest.approx(written, abs=2)
    speed = Speed()
    could = sum(speed.total(int(streams)) * seconds for streams, seconds in stats["active_seconds"].items())
    assert could == pytest.approx(written, rel=0.01)


def test_a_full_server_that_refuses_says_when_to_come_back() -> None:
    flags = ("--when-full", "429", "--retry-after", "1")
    with device(DeviceSpec(slots=1, flags=flags), time_scale=FAST, seed=0) as server:
        answers = ask_all(server, [1, 2])
    refused = [answer for answer in answers if b" 429 " in answer.split(b"\r\n")[0]]
    assert len(refused) == 1 and b"retry-after: 1" in refused[0]


@pytest.mark.parametrize(
    ("share", "mark"),
    [("--error-share", b"500 Internal"), ("--reset-share", b"(reset)"), ("--truncated-share", b'"length"')],
)
def test_a_fault_looks_like_itself(share: str, mark: bytes) -> None:
    with device(DeviceSpec(flags=(share, "1")), time_scale=FAST, seed=0) as server:
        (answer,) = ask_all(server, [1])
        stats = server.stats()
    assert mark in answer
    assert stats["answered"] == 0
    assert json.dumps(stats["outcomes"])


def test_it_goes_away_and_comes_back_on_the_same_port() -> None:
    changes = (Change(at=1, away="refuse"), Change(at=400))

    async def story(server: Running) -> tuple[bytes, bool, bytes]:
        broken = await _ask(server, 1)
        try:
            await _ask(server, 2)
            was_refused = False
        except ConnectionRefusedError:
            was_refused = True
        while True:
            try:
                return broken, was_refused, await _ask(server, 3)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)

    with device(DeviceSpec(changes=changes), time_scale=FAST, seed=0) as server:
        broken, was_refused, answer = asyncio.run(story(server))
    assert b"[DONE]" not in broken
    assert was_refused
    assert b"[DONE]" in answer


def test_it_freezes_in_the_middle_of_answers_and_goes_on_with_them() -> None:
    changes = (Change(at=1, away="hang"), Change(at=200))
    with device(DeviceSpec(changes=changes), time_scale=FAST, seed=0) as server:
        answers = ask_all(server, [1, 2])
        stats = server.stats()
    assert all(b"[DONE]" in answer for answer in answers)
    assert stats["seconds"] > 199
    assert sum(stats["active_seconds"].values()) < 150


def test_when_the_knee_moves_the_same_streams_become_slower() -> None:
    with device(DeviceSpec(changes=(Change(at=0, knee=1),)), time_scale=0.02, seed=0) as server:
        ask_all(server, list(range(6)))
        stats = server.stats()
    slow = Speed(knee=1)
    could = sum(slow.total(int(streams)) * seconds for streams, seconds in stats["active_seconds"].items())
    assert could == pytest.approx(stats["tokens"], rel=0.1)
