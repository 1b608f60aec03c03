"""Asks the agents of all nodes for their reports in one pass: bounded in every way, with an outcome for each node.

A node that is away, slow, or sends rubbish costs its own turn and no other's. What a report means is in
node_state.py; who keeps it in fleet_watch.py.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from node_agent.report import NodeReport
from tip_resources.fleet.reading_reports import MAX_REPORT_BYTES, BadReport, read_report

REPORT_PATH = "/v1/report"
# RuntimeError is aiohttp's word for reading on when it closed the connection itself, because of bytes that are no HTTP.
_WIRE_FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError, RuntimeError)

# refused: nobody listens there, or the connection broke. wrong_node: the machine there has another name than it is
# listed under. conflict: two machines have one name, or one machine stands in the list twice.
OutcomeKind = Literal["ok", "refused", "timeout", "http_error", "bad_report", "wrong_node", "conflict"]


@dataclass(frozen=True)
class Address:
    """Where the agent of the node called `name` is, for example http://10.0.0.7:8765."""

    name: str
    url: str


@dataclass(frozen=True)
class PollOutcome:
    """How asking one node went.

    `report` is there when `kind` is "ok", and never else; `reason` says why not, or what is to be known besides.
    `at_seconds` is when it ended, by our steady clock.
    """

    address: Address
    kind: OutcomeKind
    reason: str
    took_ms: float
    at_seconds: float
    report: NodeReport | None = None


class Poller:
    """Asks agents. An async context manager.

    Args:
        concurrency: Agents asked at once.
        timeout_seconds: Longest time for one agent in all, from connecting to the last byte.
        spread_seconds: A pass begins with each node at a random moment within this, so that 1,000 answers do not come
            at once; 0 asks as fast as it goes.
        steady: Our steady clock.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        timeout_seconds: float,
        spread_seconds: float = 0.0,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns = asyncio.Semaphore(concurrency)
        self._timeout_seconds = timeout_seconds
        self._spread_seconds = spread_seconds
        self._steady = steady
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Poller":
        # Between two passes a connection would only idle; an agent is not decompressed, so nothing small gets huge.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def poll(self, addresses: Sequence[Address]) -> list[PollOutcome]:
        """One pass over all nodes; an outcome for each, in their order. Nothing of a node's raises."""
        outcomes = await asyncio.gather(*(self._in_turn(address) for address in addresses))
        return _told_apart(outcomes)

    async def _in_turn(self, address: Address) -> PollOutcome:
        await asyncio.sleep(random.uniform(0, self._spread_seconds))
        async with self._turns:
            began = self._steady()
            kind, reason, report = await self._asked(address.url)
            ended = self._steady()
        return PollOutcome(address, kind, reason, (ended - began) * 1000, ended, report)

    async def _asked(self, url: str) -> tuple[OutcomeKind, str, NodeReport | None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, body = await self._fetched(url)
        except TimeoutError:
            return "timeout", f"no whole report within {self._timeout_seconds:g} s", None
        except _WIRE_FAULTS as error:
            return "refused", f"{type(error).__name__}: {error}"[:300], None
        if status != 200:
            return "http_error", f"answered with status {status}", None
        try:
            return "ok", "", read_report(body, where=url)
        except BadReport as failure:
            return "bad_report", f"{failure.what} {failure.mend}".strip(), None

    async def _fetched(self, url: str) -> tuple[int, bytes]:
        """The status, and at most one byte more than a report may have."""
        assert self._session is not None, "a poller is used within `async with`"
        async with self._session.get(url + REPORT_PATH, allow_redirects=False) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_REPORT_BYTES:
                    break
            return response.status, bytes(body[: MAX_REPORT_BYTES + 1])


def _told_apart(outcomes: Sequence[PollOutcome]) -> list[PollOutcome]:
    """Outcomes without the reports of machines that are not who they are listed as."""
    by_name: dict[str, list[PollOutcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.report is not None:
            by_name[outcome.report.node].append(outcome)
    return [
        outcome if outcome.report is None else _judged(outcome, outcome.report, by_name[outcome.report.node])
        for outcome in outcomes
    ]


def _judged(outcome: PollOutcome, report: NodeReport, group: Sequence[PollOutcome]) -> PollOutcome:
    """One outcome among all whose machines give the same name; a name's one owner in the list keeps it."""
    name = report.node
    others = [one for one in group if one is not outcome]
    where = ", ".join(sorted(one.address.url for one in others))
    owners = [one for one in group if one.address.name == name]
    if len(owners) == 1 and owners[0] is outcome:
        return replace(outcome, reason=f"{where} calls itself {name!r} too") if others else outcome
    if not others:
        reason = f"the machine there calls itself {name!r}. List it under that name, or mend the address."
        return replace(outcome, kind="wrong_node", reason=reason, report=None)
    if all(one.report is not None and one.report.boot_id == report.boot_id for one in others):
        reason = f"the same machine {name!r} answers at {where}. List it once."
    else:
        reason = f"calls itself {name!r}, and so does the machine at {where}. Give one of them another host name."
    return replace(outcome, kind="conflict", reason=reason, report=None)
