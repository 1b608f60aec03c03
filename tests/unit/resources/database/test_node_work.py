"""What machines did, what announces itself, and who watches: from a real database."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, create_engine, text

from tip_resources.database.found_nodes import FoundNodeStore
from tip_resources.database.node_work import NodeWork, NodeWorkStore
from tip_resources.database.nodes import NodeRow, NodeStore
from tip_resources.database.performance import PerformanceRecorder, PerformanceStore, new_run_id
from tip_resources.database.seen_endpoints import EndpointRegistry, SeenEndpoint
from tip_resources.database.watch_lock import WatchLock
from tip_resources.llm.endpoint_status import EndpointStatus

PI, DESK = "http://pi:1234/v1", "http://desk:1234/v1"


def status(address: str, calls: int, failed: int, tokens: int, seconds: float) -> EndpointStatus:
    return EndpointStatus(
        name=address,
        url=address,
        model="phi-4",
        standing="ready",
        reason="",
        in_flight=1,
        limit=2,
        calls=calls,
        items=calls,
        failures_by_kind={"timeout": failed},
        tokens_out=tokens,
        call_seconds=seconds,
    )


async def recorded(database: Engine, *looks: list[EndpointStatus]) -> None:
    """What a recorder writes that looks once for each of `looks`."""
    given = iter(looks)
    recorder = PerformanceRecorder(PerformanceStore(database), new_run_id(), lambda: tuple(next(given)))
    for _ in looks:
        await recorder._record()


def hosts_of(addresses: Collection[str]) -> dict[str, str]:
    return {one: one.removeprefix("http://").partition(":")[0] if "openai" not in one else "" for one in addresses}


def test_calls_of_samples_are_counted_once_for_the_machine_of_their_endpoint(fresh_database: Engine) -> None:
    work = NodeWorkStore(fresh_database)
    paid = status("https://api.openai.com/v1", 9, 0, 9, 9.0)
    first = [status(PI, 3, 1, 300, 30.0), status(DESK, 0, 0, 0, 0.0), paid]
    second = [status(PI, 5, 1, 480, 60.0), status(DESK, 1, 0, 50, 1.0), paid]
    asyncio.run(recorded(fresh_database, first, second))
    assert work.count_calls(hosts_of) == 6
    assert work.count_calls(hosts_of) == 0
    found = work.recent()
    assert found["pi"] == NodeWork(node="pi", calls=5, failed_calls=1, tokens_out=480, call_seconds=60.0)
    assert (found["pi"].tokens_per_second, found["pi"].error_rate) == (8.0, 0.2)
    assert set(found) == {"pi", "desk"}, "the paid server is no machine's"


def test_samples_are_counted_once_by_many_at_the_same_time(fresh_database: Engine) -> None:
    asyncio.run(recorded(fresh_database, *([status(PI, n, 0, n, float(n))] for n in range(1, 41))))
    counts: Counter[int] = Counter()

    def count(number: int) -> None:
        counts[number] = NodeWorkStore(fresh_database).count_calls(hosts_of)

    threads = [threading.Thread(target=count, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.total() == 40
    assert NodeWorkStore(fresh_database).recent()["pi"].calls == 40


def test_steps_and_calls_make_one_ratio_and_old_hours_do_not_count(fresh_database: Engine) -> None:
    work = NodeWorkStore(fresh_database)
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    work.add([NodeWork(node="pi", hour_at=yesterday, steps=10, failed_steps=10)])
    assert work.recent() == {}
    work.add([NodeWork(node="pi", steps=1), NodeWork(node="pi", steps=1, failed_steps=1)])
    work.add([NodeWork(node="pi", calls=2), NodeWork(node="desk", call_seconds=1.0)])
    pi, desk = work.recent()["pi"], work.recent()["desk"]
    assert (pi.steps, pi.failed_steps, pi.success_ratio) == (2, 1, 0.75)
    assert (desk.success_ratio, desk.error_rate, pi.tokens_per_second) == (None, None, None)


def test_hints_are_kept_bounded_and_can_be_forgotten(fresh_database: Engine) -> None:
    hints = FoundNodeStore(fresh_database)
    hints.saw({"http://10.0.0.7:8765": "pi", "http://10.0.0.8:8765": "desk"})
    hints.saw({"http://10.0.0.7:8765": "pi-4b"})
    assert [(hint.name, hint.url) for hint in hints.all()] == [
        ("desk", "http://10.0.0.8:8765"),
        ("pi-4b", "http://10.0.0.7:8765"),
    ]
    assert hints.forget("http://10.0.0.7:8765")
    assert not hints.forget("http://10.0.0.7:8765")
    hints.saw({f"http://10.1.{n // 250}.{n % 250}:8765": f"n-{n}" for n in range(1200)})
    found = hints.all()
    assert len(found) == 1000
    assert "desk" in {hint.name for hint in found}, "who was there first stays"
    with fresh_database.begin() as connection:
        connection.execute(text("UPDATE tip.found_nodes SET last_seen_at = now() - interval '8 days'"))
    hints.saw({})
    assert hints.all() == []


def test_a_server_that_its_machine_reports_no_more_is_gone(fresh_database: Engine) -> None:
    NodeStore(fresh_database).note(
        [NodeRow(name="pi", state="ready", state_reason="", since_unix_seconds=0.0)],
    )
    registry = EndpointRegistry(fresh_database)
    seen = [
        SeenEndpoint(address=address, name=address, tier="network", state="reported", node="pi")
        for address in (PI, DESK)
    ]
    registry.saw([*seen, SeenEndpoint(address="http://else/v1", name="", tier="network", state="used")])
    registry.keep_reported("pi", [PI])
    assert [(one.address, one.state, one.node) for one in registry.all()] == [
        (DESK, "gone", "pi"),
        ("http://else/v1", "used", ""),
        (PI, "reported", "pi"),
    ]
    registry.saw([SeenEndpoint(address=DESK, name="", tier="network", state="used")])
    assert [one.node for one in registry.all()] == ["pi", "", "pi"], "who does not know the machine leaves it"


def test_one_process_watches_and_the_next_takes_over_when_its_connection_is_gone(fresh_database: Engine) -> None:
    other = create_engine(fresh_database.url)
    first, second = WatchLock(fresh_database), WatchLock(other)
    try:
        assert first.try_take()
        assert first.try_take(), "it has it already"
        assert not second.try_take()
        with other.begin() as connection:  # as the server sees it when the first is killed
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
            )
        deadline = time.monotonic() + 30
        while not second.try_take():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert not first.try_take()
        second.release()
        # The server frees the lock when the closed connection's process has ended, which is a moment later.
        deadline = time.monotonic() + 30
        while not first.try_take():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        first.release()
        second.release()
        other.dispose()


def test_a_status_without_totals_adds_nothing(fresh_database: Engine) -> None:
    bare = status(PI, 0, 0, 0, 0.0)
    asyncio.run(recorded(fresh_database, [bare], [bare]))
    assert NodeWorkStore(fresh_database).count_calls(hosts_of) == 2
    assert NodeWorkStore(fresh_database).recent() == {}


def test_a_machine_that_only_failed_has_a_ratio_of_nothing() -> None:
    assert NodeWork(node="pi", calls=2, failed_calls=2).success_ratio == 0.0
    assert NodeWork(node="pi", steps=1, failed_steps=1).success_ratio == 0.0
