"""What a command says before it starts: the estimate of a data set, from the servers that answer now."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tip_assets.generation.batch_requests import one_by_one
from tip_assets.generation.batching import plan_batches
from tip_assets.generation.estimate import Estimate, Measured, estimate, measured_of
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.endpoints import NoEndpoint, resolve_endpoints
from tip_resources.llm.prices import check_prices_known, load_prices
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import Settings

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers

# The rehearsal server is started only by what writes; this stands for it, with the context window it has.
_REHEARSAL = Endpoint(
    name="rehearsal", url="http://localhost/v1", model="rehearsal", scripted=True, context_window_tokens=262_144
)
_EARLIER_SETS = 20
_OPENAI_URL = "https://api.openai.com/v1"


def estimate_for(
    spec: DatasetSpec,
    home: Path,
    settings: Settings,
    *,
    measured: Measured | None = None,
    fleet: "FleetServers | None" = None,
) -> Estimate:
    """The estimate of `spec` with the servers that answer now, those of `fleet` among them.

    Raises:
        BadInput: The budget limits a cost that cannot be known, or no call fits a context window.
    """
    prices = load_prices(home)
    found = _endpoints(spec, settings, fleet)
    if spec.budget.max_cost is not None:
        check_prices_known(found, prices)
    standing_in = found or (Endpoint(name="unknown", url=_OPENAI_URL, model=""),)
    batches = plan_batches(spec, settings.generation, standing_in)
    if spec.batch_api:
        batches = one_by_one(batches)
    return estimate(spec, settings.generation, found, prices, batches, measured)


def measured_before(spec: DatasetSpec, home: Path, settings: Settings) -> Measured | None:
    """What the newest set of the same kind took, from the records kept beside it; None when there is none.

    Raises:
        TransientFailure: The database cannot be reached.
    """
    from tip_resources.database.connection import database
    from tip_resources.database.requests import RequestStore
    from tip_resources.storage.checkpoint import Checkpoint
    from tip_resources.storage.layout import Layout

    layout = Layout(settings.storage_url, home)
    for row in RequestStore(database(home)).list(limit=_EARLIER_SETS, state="done"):
        if _kind(row.spec) == _kind(spec) and row.spec.source == "generate":
            usages = Checkpoint(layout.parts(row.dataset)).usages().values()
            if found := measured_of(usages, source=f" on {row.dataset}"):
                return found
    return None


def _kind(spec: DatasetSpec) -> tuple[object, ...]:
    return spec.complexity, spec.mode, spec.model, spec.tier, spec.rehearsal, spec.batch_api


def _endpoints(spec: DatasetSpec, settings: Settings, fleet: "FleetServers | None") -> tuple[Endpoint, ...]:
    """Those that answer; a named model of OpenAI's also unasked, because its price is known without a key."""
    if spec.rehearsal:
        return (_REHEARSAL,)
    try:
        found = asyncio.run(
            resolve_endpoints(
                settings, domain=spec.domain, model=spec.model, tier=spec.tier, fleet=fleet, environ=os.environ
            )
        )
    except NoEndpoint:
        if spec.tier == "openai" and spec.model:
            return (Endpoint(name="openai", url=_OPENAI_URL, model=spec.model, tier="openai"),)
        return ()
    return tuple(found)
