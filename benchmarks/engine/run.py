"""Measures every row of the table and prints it as Markdown.

python -m benchmarks.engine.run                       all rows, median of 5; about half an hour
python -m benchmarks.engine.run --quick knee-6 faults   two rows, once each
"""

import argparse
import json
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.engine.cases import CASES, Case
from benchmarks.engine.oracle import told
from benchmarks.engine.processes import BenchCommand, Running, device

_HEAD = (
    "| case | ratio | to reach | best peer | ratio, tail allowed | lost | calls per request | repeats of answered "
    "| CPU s per 1,000 | peak MB |"
)


@dataclass(frozen=True)
class Measured:
    """One run of one case. `ratio` is to the oracle's bound, `told_ratio` to the client that is told the knee."""

    ratio: float
    told_ratio: float | None
    lost: int
    calls_per_request: float
    repeats: int
    cpu_seconds_per_1000: float
    peak_mb: float


def measure(case: Case, seed: int, time_scale: float) -> Measured:
    """Runs a case once: fresh devices, fresh home, fresh folder."""
    with tempfile.TemporaryDirectory() as scratch:
        home, folder = Path(scratch, "home"), Path(scratch, "answers")
        home.mkdir()
        ports = [0] * len(case.devices)
        if case.is_warm:
            # What was learned belongs to a URL, so the devices come back on the same ports.
            with ExitStack() as stack:
                devices = _devices(stack, case, seed, time_scale, ports)
                ports = [one.port for one in devices]
                _command(case, devices, Path(scratch, "warm-up"), home, case.warm_up).run()
        with ExitStack() as stack:
            devices = _devices(stack, case, seed, time_scale, ports)
            command = _command(case, devices, folder, home, case.requests)
            before_seconds = command.run_and_kill(devices, case.requests // 2) if case.is_killed else 0.0
            figures = command.run()
            stats = [one.stats() for one in devices]
    return _measured(case, figures, stats, before_seconds + figures["makespan_seconds"] / time_scale)


def _devices(stack: ExitStack, case: Case, seed: int, time_scale: float, ports: list[int]) -> list[Running]:
    return [
        stack.enter_context(device(spec, time_scale=time_scale, seed=seed, port=port))
        for spec, port in zip(case.devices, ports, strict=True)
    ]


def _command(case: Case, devices: list[Running], folder: Path, home: Path, requests: int) -> BenchCommand:
    return BenchCommand([one.url for one in devices], requests, folder, home)


def _measured(case: Case, figures: dict[str, Any], stats: list[dict[str, Any]], seconds: float) -> Measured:
    is_simple = len(case.devices) == 1 and not case.devices[0].changes
    told_seconds = told(case.answers(), case.devices[0].speed) if is_simple else None
    # After a kill only the second process has told its cost; what it made counts.
    made = figures["requests"] // 2 if case.is_killed else figures["requests"]
    return Measured(
        ratio=seconds / case.bound_seconds(),
        told_ratio=None if told_seconds is None else seconds / told_seconds,
        lost=figures["lost"],
        calls_per_request=sum(one["requests"] for one in stats) / case.requests,
        repeats=sum(one["repeats_of_answered"] for one in stats),
        cpu_seconds_per_1000=figures["client_cpu_seconds"] / made * 1000,
        peak_mb=figures["peak_rss_mb"],
    )


def _row(case: Case, runs: list[Measured]) -> str:
    """Medians; what was lost or repeated is the worst."""

    def middle(name: str) -> float:
        return statistics.median(getattr(one, name) for one in runs)

    allowed = "-" if runs[0].told_ratio is None else f"{middle('told_ratio'):.2f}"
    cells = [
        case.title,
        f"{middle('ratio'):.2f}",
        case.to_reach,
        case.best_peer,
        allowed,
        f"{max(one.lost for one in runs)}",
        f"{middle('calls_per_request'):.2f}",
        f"{max(one.repeats for one in runs)}",
        f"{middle('cpu_seconds_per_1000'):.2f}",
        f"{middle('peak_mb'):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Reads the options, measures, prints."""
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="benchmarks.engine.run", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(names)}; without one: all")
    parser.add_argument("--runs", type=int, default=5, help="median of so many")
    parser.add_argument("--quick", action="store_true", help="one run of each case")
    parser.add_argument("--time-scale", type=float, default=0.05, help="real seconds in a simulated one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every single run, for later")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    chosen = [case for case in CASES if not options.cases or case.name in options.cases]
    everything: dict[str, list[dict[str, Any]]] = {}
    print(_HEAD)
    print("|" + "---|" * (_HEAD.count("|") - 1), flush=True)
    for case in chosen:
        runs: list[Measured] = []
        for seed in range(1 if options.quick else options.runs):
            try:
                runs.append(measure(case, seed, options.time_scale))
            except RuntimeError as error:
                print(f"| {case.title} | failed: {error} |", flush=True)
                break
        else:
            print(_row(case, runs), flush=True)
        everything[case.name] = [asdict(one) for one in runs]
    if options.json:
        options.json.write_text(json.dumps(everything, indent=2), "utf-8")


if __name__ == "__main__":
    main()
