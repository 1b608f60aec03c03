"""How long the gate takes to decide over many nodes, words included: p50 and p95.

    python -m benchmarks.fleet.gate_tick [--nodes 1000] [--ticks 300]

Between two ticks one node in ten changes its state. Reading the states from the database is not part of it.
"""

import argparse
import random
import statistics
import time

from benchmarks.fleet.fleets import mixed_fleet
from tip_resources.fleet.gate import GateMemory, decide
from tip_resources.settings.models import GateSettings


def main() -> None:
    """Prints one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=300)
    options = parser.parse_args()
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


if __name__ == "__main__":
    main()
