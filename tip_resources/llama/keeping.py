"""Keeps llama.cpp servers running: one in the foreground, or those of the settings beside the other services.

A server that dies is started again after 1, 2, 4, 8 and 16 s (launch/service_keeper.py). One that cannot be kept
is an endpoint that does not answer, said in the log; it takes nothing else down.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.launch.background_service import BackgroundService
from tip_resources.launch.service_keeper import ServiceKeeper
from tip_resources.launch.stop_signals import StopSignals
from tip_resources.launch.stopping import interrupt_main_thread
from tip_resources.llama.hardware import measured_hardware
from tip_resources.llama.plan import LlamaPlan, llama_plan, llama_service
from tip_resources.settings.models import ModelSettings

# A model of several GB from a slow card: an SD card reads some 40 MB a second.
LOAD_SECONDS = 900.0
_JOIN_SECONDS = 5.0


@contextmanager
def running_llama_server(
    plan: LlamaPlan, state: Path, environment: Mapping[str, str], *, on_log: Callable[[str], None]
) -> Iterator[None]:
    """The server answers inside the block, which ends like `running_services` does when told to stop.

    Raises:
        BadInput: The extra is missing, or the port is taken.
        TransientFailure: It did not start, or died too often inside the block.
    """
    keeper = ServiceKeeper([llama_service(plan, state, environment)], on_log, on_failure=interrupt_main_thread)
    with StopSignals(keeper.hurry) as signals:
        try:
            keeper.start()
            keeper.wait_until_ready(LOAD_SECONDS)
            yield
        except KeyboardInterrupt:
            if keeper.failure:
                raise keeper.failure from None
            raise
        finally:
            signals.is_stopping = True
            keeper.stop()


class LlamaServers:
    """The servers of the settings, started and watched without waiting for them.

    Args:
        on_log: Told what happens, a line each, from several threads.
    """

    def __init__(self, on_log: Callable[[str], None]) -> None:
        self._on_log = on_log
        self._keepers: list[ServiceKeeper] = []
        self._threads: list[threading.Thread] = []
        self._is_stopping = threading.Event()

    def start(self, models: ModelSettings, home: Path, state: Path, environment: Mapping[str, str]) -> None:
        """Starts every server of `models` that can be; says of the others why not."""
        hardware = measured_hardware()
        for position, entry in enumerate(models.llama_servers):
            try:
                plan = llama_plan(entry, position, home, hardware=hardware)
                service = llama_service(plan, state, environment)
            except BadInput as error:
                self._on_log(f"llama server not started: {error}")
                continue
            # Its memory is not taken yet, and the next one must not count on it.
            left = hardware.available_bytes - plan.options.memory_bytes
            hardware = replace(hardware, available_bytes=left)
            for reason in plan.options.reasons:
                self._on_log(f"llama server {plan.name}: {reason}")
            self._keep(service)

    def stop(self) -> None:
        """Stops all of them and returns when none is left."""
        self._is_stopping.set()
        stopping = [threading.Thread(target=keeper.stop) for keeper in self._keepers]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)

    def hurry(self) -> None:
        """Makes `stop` kill what has not ended yet."""
        for keeper in self._keepers:
            keeper.hurry()

    def _keep(self, service: BackgroundService) -> None:
        def say_failure() -> None:
            self._on_log(f"given up: {keeper.failure}")

        keeper = ServiceKeeper([service], self._on_log, on_failure=say_failure)
        self._keepers.append(keeper)
        keeper.start()
        thread = threading.Thread(target=self._wait, args=(keeper,), name="llama-server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _wait(self, keeper: ServiceKeeper) -> None:
        try:
            keeper.wait_until_ready(LOAD_SECONDS)
        except TransientFailure as failure:
            if not self._is_stopping.is_set():
                self._on_log(str(failure))
