"""How long one explained decision over many nodes takes: p50 and p95.

    python -m benchmarks.fleet.placement [--nodes 1000] [--decisions 500]

Of the mixed fleet somewhat more than half of the nodes can take any work, of the open one all, with cards.
`decided` is the node alone, `explained` the node and the line that says why, `all scores` also the words of every node.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

from benchmarks.fleet.fleets import mixed_fleet, open_fleet
from tip_resources.fleet.placement import Placement, WorkRequest, place
from tip_resources.settings.models import PlacementSettings, ThermalSettings

REQUESTS = {
    "anything": WorkRequest(key="run/step"),
    "much asked": WorkRequest(
        requires=frozenset({"linux"}),
        prefers=frozenset({"gpu", "big"}),
        node_classes=frozenset({"laptop", "generation"}),
        memory_bytes=4 << 30,
        avoid=frozenset({"node-0001"}),
        key="run/step",
    ),
}
READERS: dict[str, Callable[[Placement], object]] = {
    "decided": lambda placement: placement.node,
    "explained": lambda placement: placement.why,
    "all scores": lambda placement: (placement.why, placement.scores, placement.excluded),
}


def main() -> None:
    """Prints one line for each request and reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--decisions", type=int, default=500)
    options = parser.parse_args()
    fleets = {"mixed": mixed_fleet(options.nodes), "open": open_fleet(options.nodes)}
    weights, thermal = PlacementSettings(), ThermalSettings()
    print(f"{options.nodes} nodes, {options.decisions} decisions: milliseconds for one\n")
    print(f"{'fleet':6} {'request':12} {'read':12} {'p50':>7} {'p95':>7}")
    for (fleet, nodes), (name, request) in itertools.product(fleets.items(), REQUESTS.items()):
        for reader_name, read in READERS.items():
            took = []
            for _ in range(options.decisions):
                began = time.perf_counter()
                read(place(request, nodes, weights, thermal))
                took.append((time.perf_counter() - began) * 1000)
            p95 = statistics.quantiles(took, n=20)[-1]
            print(f"{fleet:6} {name:12} {reader_name:12} {statistics.median(took):7.3f} {p95:7.3f}")


if __name__ == "__main__":
    main()
