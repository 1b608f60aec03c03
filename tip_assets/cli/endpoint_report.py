"""What `tip endpoints` tells of each model server, put together from probes and the database. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from tip_resources.database.endpoint_leases import Lease
from tip_resources.database.endpoint_limits import RememberedLimit
from tip_resources.database.performance import PerformanceSample
from tip_resources.llm.addresses import shared_address
from tip_resources.llm.endpoints import Examined
from tip_resources.llm.shared_limiter import ago

_MODELS_LISTED = 20


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One engine that has the endpoint in use. `dataset` "" when the run is none of a data set."""

    run_id: str
    dataset: str
    host: str
    pid: int
    in_flight: int
    share: int
    of: int


class EndpointReport(msgspec.Struct, frozen=True, kw_only=True):
    """One server and model. Unknown is None; `idle_because` is "" while calls are in flight.

    `node` is the machine it runs on, "" for an unknown one; `node_state` what keeps that from taking calls now, if
    anything does.
    `tokens_per_second` and the latency are those of the newest sample in which it worked.
    """

    name: str
    url: str
    tier: str
    model: str
    models: tuple[str, ...] = ()
    state: str
    node: str = ""
    node_state: str = ""
    is_usable: bool
    is_guess: bool = False
    limit: int | None = None
    limit_reason: str = ""
    used_by: tuple[Use, ...] = ()
    tokens_per_second: float | None = None
    p95_call_ms: int | None = None
    p95_first_token_ms: float | None = None
    last_used_at: datetime | None = None
    idle_because: str = ""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows. `datasets` maps run ids to data sets, `running` and `waiting` name data sets."""

    leases: Sequence[Lease] = ()
    limits: Sequence[RememberedLimit] = ()
    samples: Mapping[str, PerformanceSample] = {}
    datasets: Mapping[str, str] = {}
    running: Sequence[str] = ()
    waiting: Sequence[str] = ()


def reports(examined: Sequence[Examined], known: Known, node: str) -> list[EndpointReport]:
    """All candidates, and after them what runs use besides: servers of other machines, rehearsal servers."""
    found = [_report(one, known, node) for one in examined]
    addresses = {shared_address(one.candidate.url, node) for one in examined if one.candidate.url}
    elsewhere = {(lease.endpoint, lease.model) for lease in known.leases if lease.endpoint not in addresses}
    return found + [_elsewhere(address, model, known) for address, model in sorted(elsewhere)]


def _report(one: Examined, known: Known, node: str) -> EndpointReport:
    candidate = one.candidate
    address = shared_address(candidate.url, node) if "://" in candidate.url else candidate.url
    leased = next((lease.model for lease in known.leases if lease.endpoint == address), "")
    model = one.endpoint.model if one.endpoint is not None else candidate.model or leased
    state = "answers" if one.probe is not None and one.probe.failure is None else "away"
    uses = _uses(address, model, known)
    report = EndpointReport(
        name=candidate.name,
        url=candidate.url,
        tier=candidate.tier,
        model=model,
        models=tuple(served.id for served in one.probe.models[:_MODELS_LISTED]) if one.probe is not None else (),
        state="not asked" if one.probe is None else state,
        node=candidate.node,
        node_state=one.held,
        is_usable=one.endpoint is not None,
        is_guess=candidate.is_guess,
        used_by=uses,
        idle_because="" if _is_busy(uses) else _why_idle(one, uses, known),
    )
    return _with_history(report, address, known)


def _elsewhere(address: str, model: str, known: Known) -> EndpointReport:
    uses = _uses(address, model, known)
    report = EndpointReport(
        name=address.rsplit("://", maxsplit=1)[-1].split("/", maxsplit=1)[0],
        url=address,
        tier="",
        model=model,
        state="in use",
        is_usable=True,
        used_by=uses,
        idle_because="" if _is_busy(uses) else _held_idle(uses),
    )
    return _with_history(report, address, known)


def _with_history(report: EndpointReport, address: str, known: Known) -> EndpointReport:
    learned = next(
        (one for one in known.limits if one.endpoint == address and one.model == report.model and report.model), None
    )
    sample = known.samples.get(address)
    changes = {}
    if learned is not None:
        reason = f"{learned.reason or 'measured'} (learned {ago(learned.age_seconds)})"
        changes |= {"limit": learned.limit, "limit_reason": reason, "p95_first_token_ms": learned.p95_first_token_ms}
        changes["tokens_per_second"] = learned.tokens_per_second
    if sample is not None:
        changes |= {"p95_call_ms": sample.p95_latency_ms, "last_used_at": sample.timestamp}
        changes["tokens_per_second"] = sample.throughput_per_sec or changes.get("tokens_per_second")
    return msgspec.structs.replace(report, **changes)


def _uses(address: str, model: str, known: Known) -> tuple[Use, ...]:
    leases = [lease for lease in known.leases if lease.endpoint == address and model in ("", lease.model)]
    return tuple(
        Use(
            run_id=lease.run_id,
            dataset=known.datasets.get(lease.run_id, ""),
            host=lease.host,
            pid=lease.pid,
            in_flight=lease.in_flight,
            share=lease.granted,
            of=leases[0].endpoint_limit,
        )
        for lease in leases
    )


def _is_busy(uses: Sequence[Use]) -> bool:
    return any(use.in_flight for use in uses)


def _why_idle(one: Examined, uses: Sequence[Use], known: Known) -> str:
    """One sentence for a person who wonders."""
    if one.endpoint is None:
        return one.reason
    if one.held:
        return f"{one.held}: it gets calls when its machine is free."
    if uses:
        return _held_idle(uses)
    if known.running:
        names = ", ".join(known.running[:3])
        return (
            f"{names} {'is' if len(known.running) == 1 else 'are'} being made, but no step of it writes with this "
            "endpoint now: it is planning, grading or exporting, or it uses other servers."
        )
    not_loaded = ""
    if one.model is not None and one.model.is_loaded is False:
        not_loaded = f" Its model {one.model.id} is not loaded: the first call would wait for that."
    if known.waiting:
        return f"{known.waiting[0]} waits to be started: is `tip up` running?{not_loaded}"
    return f"nobody asks: no data set is being written.{not_loaded}"


def _held_idle(uses: Sequence[Use]) -> str:
    run = uses[0].dataset or f"run {uses[0].run_id[:8]}" if uses[0].run_id else f"process {uses[0].pid}"
    if all(use.share == 0 for use in uses):
        return f"{run} has it in use but its limit is 0."
    return f"{run} has it in use and sends nothing now: it has no call left, waits out a pause, or others are faster."
