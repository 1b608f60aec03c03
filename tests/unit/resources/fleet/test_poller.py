"""Asking agents that answer, that do not, and that answer rubbish. Real servers on loopback."""

import asyncio
import socket
from collections.abc import Sequence

import pytest

from tests.unit.resources.fleet.loopback_agents import agents
from tests.unit.resources.fleet.reports import as_sent, report
from tip_resources.fleet.poller import Address, Poller, PollOutcome
from tip_resources.fleet.reading_reports import MAX_REPORT_BYTES


async def polled(addresses: Sequence[Address], *, timeout_seconds: float = 20, at_once: int = 50) -> list[PollOutcome]:
    async with Poller(concurrency=at_once, timeout_seconds=timeout_seconds) as poller:
        return await poller.poll(addresses)


def test_every_agent_is_asked_once_in_a_pass_and_no_more_at_once_than_allowed() -> None:
    async def scenario() -> None:
        async with agents() as served:
            reports = [report(f"node-{number}", boot_id=f"b-{number}") for number in range(200)]
            outcomes = await polled(served.add(*reports), at_once=20)
            assert [outcome.report for outcome in outcomes] == reports
            assert {outcome.kind for outcome in outcomes} == {"ok"}
            assert set(served.asked.values()) == {1}
            assert 1 < served.most_at_once <= 20

    asyncio.run(scenario())


def test_each_kind_of_bad_node_has_its_outcome_and_spoils_no_other() -> None:
    async def scenario() -> list[PollOutcome]:
        async with agents() as served:
            good = served.add(report("pi-1"), report("pi-2", boot_id="b-2"))
            served.bodies |= {"html": b"<html>", "future": as_sent(report("future", schema_version=9))}
            bad = ("dripping", "silent", "failing", "redirecting", "zipped", "endless", "html", "future")
            addresses = [good[0], *(served.at(name) for name in bad), _nobody(), good[1]]
            return await polled(addresses, timeout_seconds=2)

    outcomes = asyncio.run(scenario())
    assert [(outcome.address.name, outcome.kind) for outcome in outcomes] == [
        ("pi-1", "ok"),
        ("dripping", "timeout"),
        ("silent", "timeout"),
        ("failing", "http_error"),
        ("redirecting", "http_error"),
        ("zipped", "bad_report"),
        ("endless", "bad_report"),
        ("html", "bad_report"),
        ("future", "bad_report"),
        ("nobody", "refused"),
        ("pi-2", "ok"),
    ]
    reasons = {outcome.address.name: outcome.reason for outcome in outcomes}
    assert reasons["dripping"] == "no whole report within 2 s"
    assert reasons["failing"] == "answered with status 503"
    assert reasons["endless"] == f"the report is larger than {MAX_REPORT_BYTES >> 10} KiB."
    assert "Update tip on this side" in reasons["future"]
    assert all((outcome.report is not None) == (outcome.kind == "ok") for outcome in outcomes)
    assert all(outcome.took_ms > 0 for outcome in outcomes)


def _nobody() -> Address:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return Address("nobody", f"http://127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\xff what\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: x\r\n" % number for number in range(20_000)) + b"\r\n",
        b"HTTP/1.1 999999 ?\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pieces", [1, 3])
def test_an_answer_that_is_no_whole_http_is_refused(answer: bytes, pieces: int) -> None:
    async def scenario() -> PollOutcome:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            step = len(answer) // pieces + 1
            for at in range(0, len(answer), step):
                writer.write(answer[at : at + step])
                await asyncio.sleep(0.02)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            (outcome,) = await polled([Address("odd", f"http://127.0.0.1:{port}")])
            return outcome

    outcome = asyncio.run(scenario())
    assert (outcome.kind, outcome.report) == ("refused", None)
    assert outcome.reason


def test_an_address_that_does_not_exist_is_refused() -> None:
    (outcome,) = asyncio.run(polled([Address("gone", "http://no-such-host.invalid:8787")]))
    assert (outcome.kind, outcome.report) == ("refused", None)


def test_a_machine_that_is_not_the_one_listed_there_is_not_taken_for_it() -> None:
    async def scenario() -> PollOutcome:
        async with agents() as served:
            served.add(report("raspberrypi"))
            (outcome,) = await polled([served.at("raspberrypi", name="pi-4b")])
            return outcome

    outcome = asyncio.run(scenario())
    assert (outcome.kind, outcome.report) == ("wrong_node", None)
    assert outcome.reason.startswith("the machine there calls itself 'raspberrypi'. List it under that name")


def test_two_machines_of_one_name_are_told_apart_and_shown() -> None:
    async def scenario(owner: str, boots: tuple[str, str]) -> tuple[str, list[PollOutcome]]:
        async with agents() as served:
            for path, boot in zip(("first", "second"), boots, strict=True):
                served.bodies[path] = as_sent(report("pi", boot_id=boot))
            addresses = [served.at("first", name=owner), served.at("second", name="second")]
            return served.url, await polled(addresses)

    url, (owner, stranger) = asyncio.run(scenario("pi", ("b-1", "b-2")))
    assert (owner.kind, owner.reason) == ("ok", f"{url}/second calls itself 'pi' too")
    assert (stranger.kind, stranger.report) == ("conflict", None)
    assert stranger.reason == (
        f"calls itself 'pi', and so does the machine at {url}/first. Give one of them another host name."
    )
    _, outcomes = asyncio.run(scenario("first", ("b-1", "b-2")))
    assert [outcome.kind for outcome in outcomes] == ["conflict", "conflict"], "neither is listed as pi"
    url, (owner, twice) = asyncio.run(scenario("pi", ("b-1", "b-1")))
    assert (owner.kind, twice.kind) == ("ok", "conflict")
    assert twice.reason == f"the same machine 'pi' answers at {url}/first. List it once."
