"""Runs the background services of a project folder for one `with` block: code servers, daemon, fleet watcher, web UI.

What the services are is here; keeping them running is in service_keeper.py, a single one in background_service.py.
"""

import logging
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from tip_resources.home import HOME_VARIABLE, state_folder
from tip_resources.launch.background_service import BackgroundService
from tip_resources.launch.ports import check_port_is_free, free_ports
from tip_resources.launch.service_keeper import ServiceKeeper
from tip_resources.launch.service_process import is_serving
from tip_resources.launch.services_lock import ServicesLock, running
from tip_resources.launch.stop_signals import StopSignals
from tip_resources.launch.stopping import interrupt_main_thread
from tip_resources.launch.worker import WORKER_MODULE
from tip_resources.launch.workspace import CodeLocation, read_workspace, write_shared_workspace
from tip_resources.llama.keeping import LlamaServers
from tip_resources.settings.layers import load_settings

__all__ = ["Services", "running", "running_services", "running_workers"]

WEB_HOST = "127.0.0.1"
_logger = logging.getLogger("tip.services")
_READY_SECONDS = 180.0
_SERVICE_MODULE = "tip_resources.launch.service"
_DAEMON_MODULE = "tip_resources.launch.daemon"
_FLEET_MODULE = "tip_resources.fleet.fleet_service"


@dataclass(frozen=True)
class Services:
    """The services of a project folder while they run."""

    home: Path
    web_url: str | None
    logs: Path


@contextmanager
def running_services(
    home: Path,
    *,
    web_port: int | None,
    environment: Mapping[str, str] | None = None,
    on_log: Callable[[str], None] = _logger.info,
) -> Iterator[Services]:
    """Code servers, daemon, fleet watcher and, with `web_port`, the web server run inside the block.

    Called from the main thread, SIGTERM and a closed terminal end the block like Ctrl-C, with KeyboardInterrupt;
    a second one while it ends makes it kill what has not stopped.

    Args:
        home: The project folder.
        web_port: For the web UI on this machine only; None for no web server.
        environment: For the services, over ours.
        on_log: Told what happens, a line each.

    Raises:
        BadInput: The services run already, the port is taken, or workspace.yaml is wrong.
        TransientFailure: A service did not start, or died too often inside the block.
    """
    home = home.resolve()
    state = state_folder(home)
    logs = state / "logs"
    logs.mkdir(exist_ok=True)
    workspace = read_workspace(home)
    if web_port is not None:
        check_port_is_free(WEB_HOST, web_port)
    web_url = None if web_port is None else f"http://{WEB_HOST}:{web_port}"
    everything = service_environment(home, environment or {})
    with ExitStack() as stack:
        stack.enter_context(ServicesLock(home, web_url, logs))
        ports = free_ports(len(workspace.modules))
        write_shared_workspace(state / "workspace.yaml", workspace, ports)
        make = _Maker(state, logs, everything)
        services = [make.code_server(*found) for found in zip(workspace.modules, ports, strict=True)]
        services += [make.daemon(ports), make.fleet_watcher()]
        if web_port is not None:
            services.append(make.web_server(web_port, ports))
        keeper = ServiceKeeper(services, on_log, on_failure=interrupt_main_thread)
        llama = LlamaServers(on_log)
        signals = stack.enter_context(StopSignals(partial(_hurry, keeper, llama)))
        try:
            keeper.start()
            # While the services load, which takes longer; they would start it themselves, but then as their child.
            _start_database(home, everything)
            keeper.wait_until_ready(_READY_SECONDS)
            llama.start(load_settings(home, environ=everything).models, home, state, everything)
            yield Services(home, web_url, logs)
        except KeyboardInterrupt:
            if keeper.failure:
                raise keeper.failure from None
            raise
        finally:
            signals.is_stopping = True
            llama.stop()
            keeper.stop()


def service_environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """All variables of a service: the project's `.env`, over it ours, over that `extra`, over all what must be so."""
    from dotenv import dotenv_values

    from_file = {key: value for key, value in dotenv_values(home / ".env").items() if value is not None}
    fixed = {
        "DAGSTER_HOME": str(home),
        HOME_VARIABLE: str(home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return {**from_file, **os.environ, **extra, **fixed}


def running_workers(home: Path) -> list[tuple[int, str]]:
    """Run workers of the project folder, which go on without the services: process id and run id."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if WORKER_MODULE in words and "--run" in words and str(home.resolve()) in words:
            found.append((process.info["pid"], words[words.index("--run") + 1]))
    return found


def _hurry(keeper: ServiceKeeper, llama: LlamaServers) -> None:
    llama.hurry()
    keeper.hurry()


class _Maker:
    """Makes the services of one project folder."""

    def __init__(self, state: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self._state = state
        self._logs = logs
        self._environment = environment

    def code_server(self, location: CodeLocation, port: int) -> BackgroundService:
        arguments = ["code-server", "--module-name", location.module, "--port", str(port), "--host", "localhost"]
        arguments += ["--working-directory", str(location.working_directory), "--location-name", location.name]
        arguments += ["--use-python-environment-entry-point"]
        if location.attribute:
            arguments += ["--attribute", location.attribute]
        return self._service(f"code server {location.name}", _SERVICE_MODULE, arguments, partial(is_serving, port))

    def daemon(self, ports: Sequence[int]) -> BackgroundService:
        ready = self._state / "daemon.ready"
        ready.unlink(missing_ok=True)
        arguments = ["--supervised", "--workspace", str(self._state / "workspace.yaml"), "--ready-file", str(ready)]
        return self._service("daemon", _DAEMON_MODULE, arguments + _waits(ports), ready.exists)

    def fleet_watcher(self) -> BackgroundService:
        ready = self._state / "fleet-watcher.ready"
        ready.unlink(missing_ok=True)
        return self._service("fleet watcher", _FLEET_MODULE, ["--supervised", "--ready-file", str(ready)], ready.exists)

    def web_server(self, web_port: int, ports: Sequence[int]) -> BackgroundService:
        arguments = ["web-server", "--host", WEB_HOST, "--port", str(web_port)]
        arguments += ["--workspace", str(self._state / "workspace.yaml"), *_waits(ports)]
        ready = partial(_answers, f"http://{WEB_HOST}:{web_port}/server_info")
        return self._service("web server", _SERVICE_MODULE, arguments, ready)

    def _service(self, name: str, module: str, arguments: list[str], is_ready: Callable[[], bool]) -> BackgroundService:
        return BackgroundService(
            name,
            module,
            arguments,
            log=self._logs / f"{name.replace(' ', '-')}.log",
            cwd=self._state,
            environment=self._environment,
            is_ready=is_ready,
        )


def _waits(ports: Sequence[int]) -> list[str]:
    return [word for port in ports for word in ("--wait-for-port", str(port))]


def _start_database(home: Path, environment: Mapping[str, str]) -> None:
    from tip_resources.database.connection import URL_VARIABLE, database_url

    if not environment.get(URL_VARIABLE):
        database_url(home)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
