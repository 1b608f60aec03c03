"""How long it takes to get all calls off a machine whose owner comes back, and what becomes of them.

    python -m benchmarks.fleet.drain [--calls 20] [--seconds 60] [--at 15]

The real engine, and two rehearsal servers in processes of their own whose answers take about so many seconds each. When
all calls are in flight the standing of one machine turns to in use; the engine is not told and finds out by itself.
From the game's start to that standing passes the interval of the node's reports, which is not part of it.
"""

import argparse
import asyncio
import time
from collections.abc import Callable

from tests.unit.resources.llm.machines_and_callers import IN_USE, Caller, Machines, rehearsal, status_of
from tests.unit.resources.rehearsal.serving import stats_of
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.types import EngineNotice
from tip_resources.rehearsal.process import rehearsal_process
from tip_resources.settings.models import EngineSettings

_CONVERSATIONS = 12  # in one answer, so that many have given something when they are moved
_TOKENS_OF_ONE = 460  # of the rehearsal server's conversations, about
_LOOK_SECONDS = 0.001


def main() -> None:
    """Prints what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20, help="in flight, half of them on each machine")
    parser.add_argument("--seconds", type=float, default=60, help="that one answer takes, at least")
    parser.add_argument("--at", type=float, default=15, help="seconds after which the machine is needed")
    options = parser.parse_args()
    speed = _CONVERSATIONS * _TOKENS_OF_ONE / options.seconds
    with (
        rehearsal_process("--tokens-per-second", f"{speed:.1f}") as rtx,
        rehearsal_process("--tokens-per-second", f"{speed:.1f}") as mac,
    ):
        asyncio.run(_measure(rtx, mac, options))


async def _measure(rtx: str, mac: str, options: argparse.Namespace) -> None:
    machines, caller, notices = Machines(), Caller(options.calls, _CONVERSATIONS), list[EngineNotice]()
    half = options.calls // 2
    endpoints = [rehearsal("rtx", rtx, half), rehearsal("mac", mac, options.calls - half)]
    async with RequestEngine(
        endpoints, EngineSettings(hedge=False), standing_of=machines, on_notice=notices.append
    ) as engine:
        asking = asyncio.ensure_future(caller.get_all(engine))
        await _until(lambda: sum(status.in_flight for status in engine.status()) == options.calls)
        await asyncio.sleep(options.at)
        held, given = status_of(engine, "rtx").in_flight, caller.given.total()
        before = caller.by_endpoint["rtx"]
        began = time.perf_counter()
        machines.standings["rtx"] = IN_USE
        await _until(lambda: status_of(engine, "rtx").in_flight == 0)
        engine_ms = (time.perf_counter() - began) * 1000
        while (await asyncio.to_thread(stats_of, rtx))["in_flight"]:
            pass
        server_ms = (time.perf_counter() - began) * 1000
        print(f"{options.calls} calls in flight, {held} of them on rtx, {given} conversations given so far")
        print(f"rtx is in use: no call of the engine is there after {engine_ms:.0f} ms,")
        print(f"               no request in its server after {server_ms:.0f} ms")
        await asking
        late, failures = caller.by_endpoint["rtx"] - before, status_of(engine, "rtx").failures_by_kind
    partly = [done.items for done in caller.done if done.failure == "moved"]
    print(f"moved: {held} calls; {len(partly)} of them had given {sum(partly)} conversations, which were kept")
    lost = len(caller.wanted - set(caller.given))
    repeated = sum(count - 1 for count in caller.given.values())
    print(f"of {len(caller.wanted)} conversations lost: {lost}, given twice: {repeated}")
    print(f"given by rtx afterwards: {late}; failures counted against rtx: {sum(failures.values())}")
    print("said: " + " | ".join(notice.reason for notice in notices))


async def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    main()
