"""What the fleet watcher costs: time until it is ready, resident memory, and CPU at so many agents on loopback.

A real `fleet_service` process with an embedded database of its own watches agents that answer over real HTTP from
another process, a new report each time. The CPU of its start is told apart.

    python -m benchmarks.fleet.watcher_cost [--agents 1000] [--seconds 60]
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from aiohttp import web

from node_agent.report import CollectorRun, NodeReport, Reading, Sensor, Thermal
from tip_resources.database import embedded

ROOT = Path(__file__).parents[2]
MIB = 1024**2


def body(name: str, sequence: int) -> str:
    """A report of some 2 KB."""
    heat = Reading(50.0 + sequence % 5)
    sensors = tuple(Sensor("coretemp", f"Core {core}", heat, 100.0) for core in range(16))
    report = NodeReport(
        node=name,
        boot_id=f"boot-{name}",
        sequence=sequence,
        reported_at_unix_seconds=time.time(),
        agent_version="0.1.0",
        thermal=Thermal(heat, sensors),
        gpus=(),
        endpoints=(),
        collectors=(CollectorRun("thermal", "ok", "", 1.0, 0.0),),
    )
    return json.dumps(report.to_json_object())


def serve(told: Connection) -> None:
    """Agents on one port, each below a path of its own, until killed."""

    async def forever() -> None:
        asked: Counter[str] = Counter()

        async def answer(request: web.Request) -> web.Response:
            name = request.match_info["name"]
            asked[name] += 1
            return web.Response(text=body(name, asked[name]), content_type="application/json")

        app = web.Application()
        app.router.add_get("/{name}/v1/report", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        told.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(forever())


def cpu_seconds(process: psutil.Process) -> float:
    """Of the process and of its children that have ended."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def measured(home: Path, seconds: float) -> None:
    """Prints the figures of a watcher of the project in `home`."""
    ready, log = home / "ready", home / "watcher.log"
    command = [sys.executable, "-m", "tip_resources.fleet.fleet_service", "--ready-file", str(ready)]
    environment = {**os.environ, "TIP_HOME": str(home), "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    with log.open("w") as output:
        service = subprocess.Popen(command, env=environment, cwd=home, stderr=output)
    try:
        process = psutil.Process(service.pid)
        while not ready.exists():
            if service.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.05)
        took = time.monotonic() - began
        at_start = cpu_seconds(process)
        time.sleep(seconds)
        used = cpu_seconds(process) - at_start
        print(f"ready after       {took:8.1f} s, with {at_start:.1f} s of CPU")
        print(f"resident memory   {process.memory_info().rss / MIB:8.1f} MB")
        print(f"CPU               {used / seconds * 100:8.2f} % of a core over {seconds:.0f} s")
        print(f"lines in its log  {len(log.read_text().splitlines()):8d}")
    finally:
        service.terminate()
        service.wait()


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tip-watcher-")).resolve()
    home.chmod(0o755)  # the account that runs PostgreSQL for root has to get in
    receiving, sending = multiprocessing.Pipe(duplex=False)
    agents = multiprocessing.Process(target=serve, args=(sending,), daemon=True)
    agents.start()
    try:
        port = receiving.recv()
        names = [f"node-{number}" for number in range(options.agents)]
        nodes = [{"name": name, "url": f"http://127.0.0.1:{port}/{name}"} for name in names]
        (home / "config").mkdir()
        (home / "config" / "default.yaml").write_text(json.dumps({"fleet": {"nodes": nodes}}))
        shutil.copy(ROOT / "dagster.yaml", home)
        embedded.start(home)
        print(f"{options.agents} agents")
        measured(home, options.seconds)
    finally:
        agents.kill()
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
