"""What the node agent costs its machine: resident memory, and the share of a core at one report every 30 s.

A running `tip-agent run` is asked for many reports one after the other, each over a connection of its own and each
measured anew; the CPU time of its process and of the programs it started is divided by their number. To that comes
what it takes while nobody asks. Both together are scaled to one report every 30 s.

    python benchmarks/fleet/agent_cost.py                              all collectors, 200 reports, 20 s at rest
    python benchmarks/fleet/agent_cost.py --collectors host,thermal    only these
"""

import argparse
import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
REPORT_EVERY_SECONDS = 30.0
MIB = 1024**2


def cpu_seconds(process: psutil.Process) -> float:
    """Of the process and of its children that have ended."""
    times = process.cpu_times()
    ended_children = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return times.user + times.system + ended_children


def started(collectors: str) -> tuple[subprocess.Popen[str], str]:
    """The agent's process and its address."""
    command = [sys.executable, "-m", "node_agent", "run", "--port", "0", "--every-seconds", "0"]
    command += ["--collectors", collectors]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    for line in process.stderr or ():
        if found := re.search(r"http://\S+/v1/report", line):
            return process, found[0]
    raise SystemExit("the agent did not start")


def asked(url: str, times: int) -> dict:
    """The last of so many reports."""
    document: dict = {}
    for _ in range(times):
        with urllib.request.urlopen(url, timeout=60) as answer:
            document = json.load(answer)
    return document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=200)
    parser.add_argument("--rest-seconds", type=float, default=20.0)
    parser.add_argument("--collectors", default="host,thermal,gpus,activity,endpoints")
    arguments = parser.parse_args()
    agent, url = started(arguments.collectors)
    try:
        process = psutil.Process(agent.pid)
        last = asked(url, 5)  # the first ones load libraries

        before, began = cpu_seconds(process), time.monotonic()
        time.sleep(arguments.rest_seconds)
        at_rest = (cpu_seconds(process) - before) / (time.monotonic() - began)

        before, began = cpu_seconds(process), time.monotonic()
        last = asked(url, arguments.reports)
        each = (cpu_seconds(process) - before) / arguments.reports
        took = (time.monotonic() - began) / arguments.reports

        memory = process.memory_info().rss
    finally:
        agent.terminate()
        agent.wait()
    share = at_rest + each / REPORT_EVERY_SECONDS
    for run in last["collectors"]:
        print(f"{run['name']:<10} {run['outcome']:<8} {run['took_ms']:8.1f} ms  {run['reason']}")
    print(f"resident memory   {memory / MIB:8.1f} MB")
    print(f"one report        {each * 1000:8.2f} ms of CPU, {took * 1000:.1f} ms in all")
    print(f"at rest           {at_rest * 100:8.3f} % of a core")
    print(f"at one per {REPORT_EVERY_SECONDS:.0f} s   {share * 100:8.3f} % of a core")


if __name__ == "__main__":
    main()
