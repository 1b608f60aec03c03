"""The fleet watcher: asks all agents, measures this machine, and writes down what each is, again and again.

What a report means is in fleet_watch.py and below it, the tables in fleet_records.py; the process that runs this is
fleet_service.py.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial

from sqlalchemy import Engine

from node_agent.catalog import collectors
from node_agent.reporter import Reporter
from tip_resources.database.watch_lock import WatchLock
from tip_resources.fleet.announced_nodes import announced_nodes
from tip_resources.fleet.fleet_records import FleetRecords
from tip_resources.fleet.fleet_watch import FleetWatch, Member, Pass, members
from tip_resources.fleet.heat import in_words
from tip_resources.fleet.node_history import Now
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.poller import Address, Poller, PollOutcome
from tip_resources.settings.models import Settings

_logger = logging.getLogger(__name__)

# A game takes effect this soon on this machine and where our work is done now; a machine that is new is asked as soon.
_SOON_SECONDS = 10.0
_LOCK_SECONDS = 1.0
_FOLD_SECONDS = 3600.0
_HINT_SECONDS = 60.0
# 1,000 agents are asked within 10 s, ten at once.
_SPREAD_PER_NODE_SECONDS = 0.01
_MOST_SPREAD_SHARE = 0.5
# How long a pass may take that somebody waits for: all agents together, to the last one's limit.
_WAITED_FOR_SECONDS = 3.0


class FleetWatcher:
    """Watches all nodes of the settings and this machine. At most one per database does, by a lock in it.

    Args:
        database: Where states are written.
        settings: Gives the settings of now.
        reporter: Measures this machine; None takes all collectors of the agent.
        lock: The right to watch; None takes the database's.
    """

    def __init__(
        self,
        database: Engine,
        settings: Callable[[], Settings],
        *,
        reporter: Reporter | None = None,
        lock: WatchLock | None = None,
    ) -> None:
        self._settings = settings
        self._reporter = reporter or Reporter(collectors())
        self._own_name = self._reporter.node
        self._lock = lock or WatchLock(database)
        self._records = FleetRecords(database, self._own_name)
        self._watch = FleetWatch(self._own_name)
        self._said: dict[str, NodeState] = {}
        self._busy: frozenset[str] = frozenset()
        self._met: frozenset[str] = frozenset()
        self._one_pass = threading.Lock()

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Watches until it is cancelled. While another process watches this database it waits to take over.

        Args:
            on_ready: Called when this machine's state was written, or somebody else is found to write it.
        """
        is_waiting = False
        try:
            while True:
                if await asyncio.to_thread(self._records.tried, self._lock.try_take):
                    _logger.info("watching the fleet")
                    is_waiting = False
                    await self._watch_all(on_ready)
                elif not is_waiting:
                    _logger.info("another process watches this fleet; waiting to take over")
                    is_waiting = True
                    on_ready()
                await asyncio.sleep(_LOCK_SECONDS)
        finally:
            self._lock.release()

    def pass_if_nobody_watches(self) -> bool:
        """One pass over all nodes, unless a process watches; takes a few seconds at most.

        False: somebody watches, or the database is away, and nothing was done.

        Keep the watcher for the next time: without what it remembers nothing has a curve or a since-when. Not to be
        called where an event loop runs.
        """
        with self._one_pass:
            if not self._records.tried(self._lock.try_take):
                return False
            try:
                asyncio.run(self._pass_in_a_hurry())
            finally:
                self._lock.release()
        return True

    async def _watch_all(self, on_ready: Callable[[], None]) -> None:
        """Returns when another process has taken the right to watch."""
        await self._resume()
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._keep_lock(),
                self._measure_this_machine(on_ready),
                self._ask_all(),
                self._ask_some_soon(),
                self._keep_house(),
                self._find_announced(),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_lock(self) -> None:
        """Returns when somebody else has it. While the database is away nobody can write, and we go on."""
        while await asyncio.to_thread(self._records.tried, self._lock.try_take) is not False:
            await asyncio.sleep(_SOON_SECONDS)
        _logger.warning("another process watches this fleet now")

    async def _measure_this_machine(self, on_ready: Callable[[], None]) -> None:
        is_ready = False
        while True:
            began = time.monotonic()
            is_written = await self._taken([await self._own_outcome()], {self._own_name})
            if is_written and not is_ready:
                on_ready()
                is_ready = True
            await _until(began + _soon(await self._current()))

    async def _ask_all(self) -> None:
        """All but those that are asked more often."""
        while True:
            settings, began = await self._current(), time.monotonic()
            busy = self._busy
            chosen = [one for one in self._watch.addresses(settings) if one.name not in busy]
            await self._ask(chosen, settings)
            await _until(began + settings.node.health_check_seconds)

    async def _ask_some_soon(self) -> None:
        """Those that work for us now: when their people come, the work has to leave soon. And those that were listed a
        moment ago: who listed one wants to see it."""
        while True:
            settings, began = await self._current(), time.monotonic()
            listed = self._watch.addresses(settings)
            met, self._met = self._met, frozenset(one.name for one in listed)
            if listed:
                self._busy = await asyncio.to_thread(self._records.busy_nodes, settings.fleet.nodes)
                soon = self._busy | (self._met - met)
                await self._ask([one for one in listed if one.name in soon], settings)
            await _until(began + _soon(settings))

    async def _keep_house(self) -> None:
        """Counts work, and now and then makes room."""
        folded_at = -math.inf
        while True:
            settings, began = await self._current(), time.monotonic()
            await self._count_work(settings)
            if began - folded_at >= _FOLD_SECONDS:
                await asyncio.to_thread(self._records.fold)
                folded_at = began
            await _until(began + settings.node.health_check_seconds)

    async def _find_announced(self) -> None:
        """Those who would like to be listed; where that cannot be seen, nothing more is to be done."""
        await announced_nodes(self._saw_hints, _HINT_SECONDS)
        await asyncio.Event().wait()

    async def _pass_in_a_hurry(self) -> None:
        settings = await self._current()
        await self._resume()
        chosen = self._watch.addresses(settings)
        turns = math.ceil(len(chosen) / settings.fleet.poll_concurrency) or 1
        limit = min(settings.fleet.poll_timeout_seconds, _WAITED_FOR_SECONDS / turns)
        own, outcomes = await asyncio.gather(self._own_outcome(), self._asked(chosen, settings, 0.0, limit))
        await self._count_work(settings)
        await self._taken([own, *outcomes], None)

    async def _resume(self) -> None:
        settings = await self._current()
        read = partial(self._records.fresh_states, settings.node.health_check_seconds)
        self._watch.resume(await asyncio.to_thread(read))
        self._met = frozenset(one.name for one in self._watch.addresses(settings))  # the first round asks all of them

    async def _count_work(self, settings: Settings) -> None:
        work = await asyncio.to_thread(self._records.work, settings.fleet.nodes)
        if work is not None:
            ratios = {node: one.success_ratio for node, one in work.items()}
            self._watch.success_ratios = {node: ratio for node, ratio in ratios.items() if ratio is not None}

    async def _ask(self, chosen: Sequence[Address], settings: Settings) -> None:
        if chosen:
            most = _MOST_SPREAD_SHARE * settings.node.health_check_seconds
            spread = min(most, _SPREAD_PER_NODE_SECONDS * len(chosen))
            outcomes = await self._asked(chosen, settings, spread, settings.fleet.poll_timeout_seconds)
            await self._taken(outcomes, {one.name for one in chosen})

    async def _asked(
        self, chosen: Sequence[Address], settings: Settings, spread_seconds: float, limit_seconds: float
    ) -> list[PollOutcome]:
        async with Poller(
            concurrency=settings.fleet.poll_concurrency, timeout_seconds=limit_seconds, spread_seconds=spread_seconds
        ) as poller:
            return await poller.poll(chosen)

    async def _own_outcome(self) -> PollOutcome:
        began = time.monotonic()
        report = await asyncio.to_thread(self._reporter.report)
        ended = time.monotonic()
        return PollOutcome(Address(self._own_name, ""), "ok", "", (ended - began) * 1000, ended, report)

    async def _taken(self, outcomes: Sequence[PollOutcome], names: Collection[str] | None) -> bool:
        """Takes outcomes in and writes them down; False when the database did not take them."""
        settings = await self._current()
        done = self._watch.take(outcomes, settings, Now(time.monotonic(), time.time()), names)
        self._say(done)
        is_stored = await asyncio.to_thread(self._records.store, done, self._members(settings))
        if not is_stored:
            self._watch.was_not_stored(done)
        return is_stored

    async def _current(self) -> Settings:
        return await asyncio.to_thread(self._settings)

    async def _saw_hints(self, names_by_url: dict[str, str]) -> None:
        await asyncio.to_thread(self._records.saw_hints, names_by_url)

    def _members(self, settings: Settings) -> dict[str, Member]:
        return {one.name: one for one in members(settings, self._own_name)}

    def _say(self, done: Pass) -> None:
        """A line for each node whose status is another one now."""
        for state in done.states:
            before = self._said.get(state.node)
            if before is None:
                _logger.info("%s is %s: %s", state.node, state.status, state.reason)
            elif before.status != state.status:
                lasted = in_words(max(0.0, state.since_unix_seconds - before.since_unix_seconds))
                was = f"was {before.status} for {lasted}"
                _logger.info("%s is %s: %s (%s)", state.node, state.status, state.reason, was)
            self._said[state.node] = state


_process_wide: dict[str, FleetWatcher] = {}
_making = threading.Lock()


def process_wide_watcher(database: Engine, settings: Callable[[], Settings]) -> FleetWatcher:
    """The one watcher of this process for a database, made at the first call; for `pass_if_nobody_watches`."""
    key = database.url.render_as_string(hide_password=True)
    with _making:
        if key not in _process_wide:
            _process_wide[key] = FleetWatcher(database, settings)
        return _process_wide[key]


def _soon(settings: Settings) -> float:
    return min(_SOON_SECONDS, settings.node.health_check_seconds)


async def _until(moment: float) -> None:
    """Waits until then by the steady clock; goes on at once, but lets others run, when it is past."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
