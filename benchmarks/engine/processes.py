"""Starts and stops what a measurement needs: devices, and `tip bench engine` as a user would run it."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.engine.cases import MEAN_TOKENS, DeviceSpec

_ROOT = Path(__file__).resolve().parents[2]
_MOST_SECONDS = 600.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Running:
    """A device that runs."""

    port: int

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> dict[str, Any]:
        """What it counted."""
        with _OPENER.open(f"http://127.0.0.1:{self.port}/stats", timeout=10) as answer:
            return json.load(answer)


@contextmanager
def device(spec: DeviceSpec, *, time_scale: float, seed: int, port: int = 0) -> Iterator[Running]:
    """A device on a port of this machine for as long as the block runs; it also ends when this process does."""
    with tempfile.TemporaryDirectory() as folder:
        schedule = Path(folder, "schedule.json")
        schedule.write_text(json.dumps([asdict(change) for change in spec.changes]), "utf-8")
        speed = spec.speed
        flags: list[object] = ["--port", port, "--tokens-per-second", speed.alone, "--knee", speed.knee]
        flags += ["--loss", speed.loss, "--slots", spec.slots, "--time-scale", time_scale, "--fault-seed", seed]
        flags += ["--answer-tokens", MEAN_TOKENS, "--schedule", schedule, *spec.flags]
        command = [sys.executable, "-m", "benchmarks.engine.device", "--until-stdin-closes", *map(str, flags)]
        process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line.strip().isdigit():
                raise SystemExit("a device did not start; what it said stands above")
            yield Running(int(line))
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()


class BenchCommand:
    """`tip bench engine --json` in a home of its own."""

    def __init__(self, urls: Sequence[str], requests: int, folder: Path, home: Path) -> None:
        endpoints = [word for url in urls for word in ("--endpoint", url)]
        words = ["bench", "engine", *endpoints, "--requests", str(requests), "--dir", str(folder), "--json"]
        self._command = [sys.executable, "-c", "from tip_assets.cli.main import main; main()", *words]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TIP_")},
            "TIP_HOME": str(home),
            "PYTHONPATH": str(_ROOT),
        }

    def run(self) -> dict[str, Any]:
        """Runs it to its end; gives what it printed.

        Raises:
            RuntimeError: It failed, or took more than ten minutes.
        """
        process = self._started()
        try:
            out, errors = process.communicate(timeout=_MOST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise RuntimeError(f"not ended after {_MOST_SECONDS:g} s") from None
        if process.returncode not in (0, 3):
            raise RuntimeError(f"exit code {process.returncode}: {errors.decode('utf-8', 'replace')[-500:]}")
        return json.loads(out)

    def run_and_kill(self, devices: Sequence[Running], answers: int) -> float:
        """Kills it when the devices have given so many answers; gives the simulated seconds since its first request.

        Raises:
            RuntimeError: It ended before, or took more than ten minutes.
        """
        process = self._started()
        try:
            until = time.monotonic() + _MOST_SECONDS
            while time.monotonic() < until and process.poll() is None:
                if sum(one.stats()["answered"] for one in devices) >= answers:
                    process.kill()
                    return max(one.stats()["seconds_until_now"] for one in devices)
                time.sleep(0.02)
            raise RuntimeError("it could not be killed at half: it had ended, or came to nothing")
        finally:
            process.kill()
            process.communicate()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, cwd=_ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
