"""What a command of tip takes: `python -m benchmarks.scale.stage_peak -- scrub IN.jsonl OUT.jsonl`.

Runs `tip` with these arguments in a process of its own and prints its exit code, its seconds of CPU with those of its
children, the most memory it held without them (resident: pages of mapped files count, which the system can take back),
how many lines or calls it named on stderr and the last of them, and what it said. Linux and macOS.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

_SHOWN = 3
_RUN = """
import atexit, json, os, resource, time
from pathlib import Path
from tip_assets.generation.peak_memory import peak_memory_mb
def tell():
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(os.environ["TIP_STAGE_PEAK"]).write_text(json.dumps({
        "cpu_seconds": time.process_time() + children.ru_utime + children.ru_stime, "peak_mb": peak_memory_mb()}))
atexit.register(tell)
from tip_assets.cli.main import main
main()
"""


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """Of one run."""

    exit_code: int
    cpu_seconds: float
    peak_mb: float
    complaints: tuple[str, ...]
    said: str


def run_stage(arguments: list[str]) -> Took:
    """Runs `tip` with these arguments to its end."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        done = subprocess.run(
            [sys.executable, "-c", _RUN, *arguments],
            env={**os.environ, "TIP_STAGE_PEAK": str(figures)},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        found = json.loads(figures.read_text(encoding="utf-8"))
    complaints = tuple(line for line in done.stderr.splitlines() if line.startswith("tip: "))
    return Took(exit_code=done.returncode, complaints=complaints, said=done.stdout.strip(), **found)


def main() -> None:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arguments", nargs="+", metavar="ARG", help="Of tip, after --.")
    took = run_stage(parser.parse_args().arguments)
    print(f"exit code {took.exit_code}; {took.cpu_seconds:.1f} s of CPU; {took.peak_mb:.0f} MB at most")
    print(f"{len(took.complaints)} lines or calls named on stderr" + (", the last:" if took.complaints else ""))
    for line in took.complaints[-_SHOWN:]:
        print(f"  {line}")
    print(took.said)


if __name__ == "__main__":
    main()
