"""What the tests of moved calls share: machines whose standing a test sets, and a caller who asks for what is missing.

The servers are rehearsal servers over HTTP; their calls carry the numbers they were asked for.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable

from tests.unit.resources.llm.helpers import SCHEMA
from tests.unit.resources.rehearsal.serving import MODEL, plans_prompt
from tip_resources.llm.endpoint_status import EndpointStatus
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.machine_standing import WELL, MachineStanding
from tip_resources.llm.types import ChatRequest, Endpoint, Item, Message, RequestDone

IN_USE = MachineStanding(0.0, "rtx is in_use: a game (for 12 min)", moves_calls=True)
HOT = MachineStanding(0.0, "rtx is hot: GPU 0 at 88 C (for 1 min)", moves_calls=True, only_elsewhere=True)
LOST = MachineStanding(0.0, "rtx is lost: no report for 3 min (for 1 min)", is_waited_for=False)
PAUSED = MachineStanding(0.0, "rtx is draining: paused by anna (for 1 min)")
THROTTLED = MachineStanding(0.7, "rtx is throttled: CPU at 76 C (for 3 min)")


class Machines:
    """How each endpoint's machine stands: well, until a test says otherwise."""

    def __init__(self, **standings: MachineStanding) -> None:
        self.standings = standings

    def __call__(self, endpoint: Endpoint) -> MachineStanding:
        return self.standings.get(endpoint.name, WELL)


def rehearsal(name: str, url: str, concurrency: int) -> Endpoint:
    return Endpoint(name=name, url=url, model=MODEL, scripted=True, concurrency=concurrency)


class Caller:
    """Wants so many calls of each request, and asks again for what did not come; takes what comes while it `reads`."""

    def __init__(self, requests: int, calls: int) -> None:
        self.wanted = {(f"r{number}", call) for number in range(requests) for call in range(1, calls + 1)}
        self.given: Counter[tuple[str, int]] = Counter()
        self.by_endpoint: Counter[str] = Counter()
        self.done: list[RequestDone] = []
        self.reads = asyncio.Event()
        self.reads.set()

    @property
    def missing(self) -> dict[str, list[int]]:
        left: dict[str, list[int]] = {}
        for name, call in sorted(self.wanted - set(self.given)):
            left.setdefault(name, []).append(call)
        return left

    async def get_all(self, engine: RequestEngine) -> None:
        while missing := self.missing:
            open_now = dict.fromkeys(missing, 0)
            async for event in engine.run([_request(name, calls) for name, calls in missing.items()]):
                await self.reads.wait()
                if isinstance(event, Item):
                    assert event.request_id in open_now, "an item came after the end of its request"
                    open_now[event.request_id] += 1
                    self.given[event.request_id, event.value["call"]] += 1
                    self.by_endpoint[event.endpoint.name] += 1
                else:
                    assert open_now.pop(event.request_id) == event.items
                    self.done.append(event)
            assert not open_now, "every request ends"


async def until(is_so: Callable[[], bool], seconds: float = 40) -> None:
    """Waits until something is so; fails when it is not after a long time."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.01)


def status_of(engine: RequestEngine, name: str) -> EndpointStatus:
    return next(status for status in engine.status() if status.name == name)


def _request(name: str, calls: list[int]) -> ChatRequest:
    whole = plans_prompt(max(calls))
    head, marker, plans = whole[1]["content"].partition("CALL PLANS\n")
    chosen = [plan for plan in json.loads(plans)["calls"] if plan["call"] in calls]
    return ChatRequest(
        request_id=name,
        messages=(
            Message("system", whole[0]["content"]),
            Message("user", head + marker + json.dumps({"calls": chosen})),
        ),
        max_output_tokens=20_000,
        json_schema=SCHEMA,
        expected_items=len(calls),
    )
