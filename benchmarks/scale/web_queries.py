"""Questions as the web UI asks them, over HTTP to a real web server with a code server of its own."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.scale.home import ROOT
from tip_resources.launch.ports import free_ports

_ASSET = 'assetKey: {path: ["raw_conversations"]}'
# Field by field what the pages of Dagster 1.13 ask for, less what does not depend on the number of partitions.
PAGES = {
    "asset page: partitions by state": f"""{{ assetNodeOrError({_ASSET}) {{ ... on AssetNode {{
        partitionStats {{ numPartitions numMaterialized numFailed numMaterializing }}
        assetPartitionStatuses {{ __typename ... on DefaultPartitionStatuses {{
            materializedPartitions failedPartitions materializingPartitions unmaterializedPartitions }} }} }} }} }}""",
    "asset page: partition keys": f"""{{ assetNodeOrError({_ASSET}) {{ ... on AssetNode {{
        partitionKeysByDimension {{ name partitionKeys }} }} }} }}""",
    "asset page: newest 50 events": """{ assetOrError(assetKey: {path: ["raw_conversations"]}) { ... on Asset {
        assetMaterializations(limit: 50) { runId partition timestamp metadataEntries { label } } } } }""",
    "asset graph: newest state": """{ assetsLatestInfo(assetKeys: [{path: ["raw_conversations"]},
        {path: ["dataset_report"]}]) { assetKey { path } latestMaterialization { runId partition timestamp }
        inProgressRunIds unstartedRunIds } }""",
    "runs page: newest 25": """{ runsOrError(limit: 25) { ... on Runs { results {
        runId status startTime endTime tags { key value } assetSelection { path } } } } }""",
    "runs page: counts": """{ all: runsOrError { ... on Runs { count } }
        queued: runsOrError(filter: {statuses: [QUEUED]}) { ... on Runs { count } } }""",
}  # fmt: skip


_TICK = """mutation {
    sensorDryRun(cursor: null, selectorData: {repositoryLocationName: "tip_assets.definitions",
        repositoryName: "__repository__", sensorName: "SENSOR"}) { __typename ... on PythonError { message }
        ... on DryRunInstigationTick {
        evaluationResult { skipReason error { message } runRequests { runKey } } } } }"""


def tick_of(sensor: str) -> str:
    """One tick as the page of a sensor tries it: evaluated in the code server, nothing launched."""
    return _TICK.replace("SENSOR", sensor)


class WebServer:
    """One that answers; CPU counts its code server as well."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"
        self._process = process

    def ask(self, query: str) -> bytes:
        """The answer as it came.

        Raises:
            ValueError: It tells of an error.
        """
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(self._url, body, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise ValueError(error.read()[:2000].decode()) from error
        document = json.loads(content)
        if document.get("errors") or b'"error":{' in content.replace(b" ", b""):
            raise ValueError(content[:2000].decode())
        return content

    def cpu_seconds(self) -> float:
        """Of the web server and what it has started."""
        times = [one.cpu_times() for one in (self._process, *self._process.children(recursive=True))]
        return sum(one.user + one.system for one in times)


@contextmanager
def web_server(home: Path) -> Iterator[WebServer]:
    """Started in `home`, where the database runs already."""
    (port,) = free_ports(1)
    command = ["-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(home / "workspace.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, *command], cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/server_info", process)
        yield WebServer(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", patience_seconds: float = 400.0) -> None:
    until = time.monotonic() + patience_seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the web server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"{url} does not answer")
