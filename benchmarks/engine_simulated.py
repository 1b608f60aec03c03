"""Prints what the request engine reaches on simulated devices, by what an oracle would: makespan ratios.

    .venv/bin/python -m benchmarks.engine_simulated [--seeds 5] [--only WORDS] [--scale 0.05] [--tell]

Virtual time: no server, no waiting, the same figures each time. benchmarks/engine measures the real thing.
"""

import argparse
import statistics
import time

from tests.unit.resources.llm.simulated_cases import CASES, simulate


def main() -> None:
    """Runs the cases in both time scales and prints one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--scale", type=float, action="append")
    parser.add_argument("--tell", action="store_true")
    options = parser.parse_args()
    print(f"{'case':36} {'scale':>6} {'target':>6} {'median':>6} {'worst':>6}  lost twice asked twins  CPU s")
    for case in CASES:
        if options.only not in case.name:
            continue
        for scale in options.scale or (1.0, 0.05):
            began = time.process_time()
            runs = [
                simulate(case, seed, time_scale=scale, tell=print if options.tell else None)
                for seed in range(options.seeds)
            ]
            ratios = [run.ratio for run in runs]
            print(
                f"{case.name:36} {scale:6.2f} {case.target:6.2f} {statistics.median(ratios):6.3f} {max(ratios):6.3f}"
                f"  {sum(run.lost for run in runs):4} {sum(run.twice for run in runs):5}"
                f" {statistics.median(run.asked for run in runs):5} {statistics.median(run.twins for run in runs):5}"
                f"  {time.process_time() - began:5.1f}"
            )


if __name__ == "__main__":
    main()
