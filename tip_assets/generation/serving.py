"""Which servers write a data set's calls: the configured ones, or a rehearsal server of the step's own."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.endpoints import NoEndpoint, resolve_endpoints
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import EndpointSettings, ModelSettings, Settings

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers

ReadSettings = Callable[[], Settings]

# How often a waiting data set looks for a model server again.
LOOK_EVERY_SECONDS = 5.0


@contextmanager
def endpoints_for(
    spec: DatasetSpec,
    settings: ReadSettings,
    *,
    patience_seconds: float,
    on_wait: Callable[[str], None],
    fleet: "FleetServers | None" = None,
) -> Iterator[tuple[Endpoint, ...]]:
    """The endpoints to use, for as long as the block runs.

    Only a data set that asked for rehearsal gets the scripted server, and it gets nothing else: a closed
    LM Studio must never turn a production request into scripted calls. It waits, and says so.

    Args:
        spec: The data set.
        settings: Reads where to look; anew each time, so that a server added meanwhile is found.
        patience_seconds: How long to wait for a server; 0 not at all.
        on_wait: Told why it waits, each time it has looked in vain.
        fleet: Its machines' servers count as well; None leaves them out.

    Raises:
        NoEndpoint: No server answered for so long; the message lists what was tried.
    """
    if not spec.rehearsal:
        yield _wait_for_endpoints(spec, settings, patience_seconds, on_wait, fleet)
        return
    from tip_resources.rehearsal.process import rehearsal_process

    with rehearsal_process(*settings().models.rehearsal_options) as url:
        only = ModelSettings(endpoints=(EndpointSettings(url=url, name="rehearsal"),), probe_localhost=False)
        yield _resolve(spec, settings().model_copy(update={"models": only}), None)


def _wait_for_endpoints(
    spec: DatasetSpec,
    settings: ReadSettings,
    patience_seconds: float,
    on_wait: Callable[[str], None],
    fleet: "FleetServers | None",
) -> tuple[Endpoint, ...]:
    until = time.monotonic() + patience_seconds
    while True:
        try:
            return _resolve(spec, settings(), fleet)
        except NoEndpoint as failure:
            if time.monotonic() >= until:
                raise
            on_wait(str(failure))
        time.sleep(LOOK_EVERY_SECONDS)


def _resolve(spec: DatasetSpec, settings: Settings, fleet: "FleetServers | None") -> tuple[Endpoint, ...]:
    found = asyncio.run(
        resolve_endpoints(
            settings,
            domain=spec.domain,
            model=spec.model,
            tier=spec.tier,
            rehearsal=spec.rehearsal,
            fleet=fleet,
            environ={} if spec.rehearsal else os.environ,
        )
    )
    return tuple(found)
