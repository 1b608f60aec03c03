"""How long the gate takes to decide over many nodes, words included: p50 and p95.

    python -m benchmarks.fleet.gate_tick [--nodes 1000] [--ticks 300] [--whole]

Between two ticks one node in ten changes its state. Reading the states from the database is not part of it. With
--whole a tick reads them from an embedded PostgreSQL, decides, sets Dagster's pool and writes the reason.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.fleet.fleets import mixed_fleet
from tip_resources.fleet.gate import GateMemory, decide
from tip_resources.settings.models import GateSettings


def main() -> None:
    """Prints one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=300)
    parser.add_argument("--whole", action="store_true", help="With the database and Dagster's pool.")
    options = parser.parse_args()
    if options.whole:
        whole(options.nodes, options.ticks)
        return
    settings, chance = GateSettings(), random.Random(1)
    nodes = mixed_fleet(options.nodes)
    memory: GateMemory | None = None
    took, limits, reason = [], [], ""
    for tick in range(options.ticks):
        other = mixed_fleet(options.nodes, seed=tick)
        for index in chance.sample(range(options.nodes), options.nodes // 10):
            nodes[index] = other[index]
        began = time.perf_counter()
        decision = decide(nodes, settings, tick * 30.0, memory)
        took.append((time.perf_counter() - began) * 1000)
        memory = decision.memory
        limits.append(decision.limit)
        reason = decision.reason
    p95 = statistics.quantiles(took, n=20)[-1]
    print(f"{options.nodes} nodes, {options.ticks} ticks: p50 {statistics.median(took):.3f} ms, p95 {p95:.3f} ms")
    print(f"limits from {min(limits)} to {max(limits)}; the last reason: {reason}")


def whole(count: int, ticks: int) -> None:
    """Prints one line about whole ticks, as the sensor does them."""
    import dagster as dg

    from sensors.fleet_gate import look
    from tip_resources.database import embedded
    from tip_resources.database.connection import close, database
    from tip_resources.database.fleet_gate import GateStore
    from tip_resources.database.node_states import NodeStateStore
    from tip_resources.database.nodes import NodeRow, NodeStore
    from tip_resources.fleet.known_fleet import KnownFleet
    from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
    from tip_resources.settings.models import Settings

    with tempfile.TemporaryDirectory(prefix="tip-gate-") as folder, dg.DagsterInstance.ephemeral() as instance:
        home = Path(folder).resolve()
        home.chmod(0o755)  # the account that runs PostgreSQL for root must get in
        engine, nodes = database(home), mixed_fleet(count)
        listed = tuple(
            FleetNodeSettings(name=node.node, url=f"http://10.{n >> 16}.{n >> 8 & 255}.{n & 255}:8765")
            for n, node in enumerate(nodes)
        )
        settings = Settings(
            fleet=FleetSettings(nodes=listed), gate=GateSettings(run_on=tuple(node.node for node in nodes))
        )
        rows = [NodeRow(name=one.node, state=one.status, state_reason="", since_unix_seconds=0.0) for one in nodes]
        NodeStore(engine).note(rows)
        store, took, used, reason = GateStore(engine), [], [], ""
        for tick in range(ticks):
            NodeStateStore(engine).write(mixed_fleet(count, seed=tick))
            fleet = KnownFleet(engine, lambda: settings)  # a new one has read nothing yet
            began, cpu = time.perf_counter(), time.process_time()
            reason = look(instance, store, fleet, store.read(), time.time()).reason
            took.append((time.perf_counter() - began) * 1000)
            used.append((time.process_time() - cpu) * 1000)
        close(home)
        embedded.stop(home)
    p95, cpu = statistics.quantiles(took, n=20)[-1], statistics.median(used)
    print(
        f"{count} nodes, {ticks} whole ticks: p50 {statistics.median(took):.0f} ms, p95 {p95:.0f} ms, {cpu:.0f} ms CPU"
    )
    print(f"the last reason: {reason}")


if __name__ == "__main__":
    main()
