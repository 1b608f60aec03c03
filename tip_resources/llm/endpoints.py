"""Finds the endpoints a request may use: asks every candidate what it serves and picks the model.

Scripted calls never come from here unless asked for: the rehearsal server counts only with `rehearsal=True`, and
then nothing else does, because a closed LM Studio must never turn a production request into scripted calls.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import structs

from tip_resources.domain.failures import TransientFailure
from tip_resources.domain.provenance import Tier
from tip_resources.fleet.endpoint_nodes import EndpointNodes
from tip_resources.llm.candidates import LOCAL_SERVERS, Candidate, LocalServer, candidates
from tip_resources.llm.fleet_candidates import why_unreachable, with_fleet
from tip_resources.llm.probe import EndpointProbe, probe_endpoint
from tip_resources.llm.served import REHEARSAL_MODEL, ServedModel, find_model, likeliest_model
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import Settings

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetLook, FleetServers

_MODELS_LISTED = 10
_ASKED_AT_ONCE = 64
_nodes_without_fleet = EndpointNodes()  # keeps what was looked up, and nothing else

ModelRole = Literal["write", "judge", "refine"]
_TASKS: Mapping[ModelRole, str] = {"write": "writing calls", "judge": "judging calls", "refine": "reading requests"}


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate after it was asked: an endpoint, or the reason why it is none.

    `held` says why its machine takes no work now, "" when it does or is unknown.
    """

    candidate: Candidate
    probe: EndpointProbe | None = None
    model: ServedModel | None = None
    endpoint: Endpoint | None = None
    reason: str = ""
    held: str = ""


class NoEndpoint(TransientFailure):
    """No model server can be used now. The message lists each that was tried, why it failed, and how to mend it."""

    def __init__(self, domain: str, examined: Sequence[Examined], *, role: ModelRole = "write") -> None:
        self.examined = tuple(examined)
        lines = [f"No model server can be used for {domain or _TASKS[role]}. Tried:"]
        for one in examined:
            product = f" ({one.candidate.product})" if one.candidate.product else ""
            lines.append(f"  {one.candidate.url}{product}: {one.reason}")
        if not examined:
            lines.append("  nothing: no endpoint is configured and localhost is not probed.")
        lines.append("Start LM Studio (or Ollama, vLLM, llama-server) and load a model, or name a server with")
        lines.append("TIP_LLM_URL=http://host:port/v1. To go through everything without a model, use --rehearsal.")
        super().__init__("\n".join(lines))


async def resolve_endpoints(
    settings: Settings,
    *,
    domain: str,
    role: ModelRole = "write",
    model: str | None = None,
    tier: Tier | None = None,
    environ: Mapping[str, str],
    rehearsal: bool = False,
    fleet: "FleetServers | None" = None,
    waits: bool = True,
    local_servers: Sequence[LocalServer] = LOCAL_SERVERS,
) -> list[Endpoint]:
    """The endpoints that can write calls of `domain` now, in the order of preference; at least one.

    Those whose machines take no work now come last.

    Args:
        settings: Configured endpoints, and the models per domain and per role.
        domain: Picks the model of `settings.models.by_domain`; "" for work that belongs to no domain.
        role: What the model is for; picks the model of `settings.models.by_role`, after the domain's.
        model: Overrides every other choice of a model.
        tier: None means local and network; `openai` is used only when it is asked for here, or named by
            TIP_LLM_URL.
        environ: The environment: TIP_LLM_URL, TIP_LLM_MODEL, TIP_LLM_API_KEY and the keys that settings name.
        rehearsal: Use only the rehearsal server; otherwise it is never used.
        fleet: The machines of the fleet, whose servers count as well; None leaves them out.
        waits: The caller waits for machines that take no work now, as the request engine does; False leaves their
            endpoints out.
        local_servers: Where to look on this machine.

    Raises:
        NoEndpoint: None of them can be used.
        BadInput: TIP_LLM_URL is not an address.
    """
    examined = await examine_endpoints(
        settings,
        domain=domain,
        role=role,
        model=model,
        tier=tier,
        environ=environ,
        rehearsal=rehearsal,
        fleet=fleet,
        local_servers=local_servers,
    )
    if not waits:
        examined = [structs.replace(one, endpoint=None, reason=f"{one.held}.") if one.held else one for one in examined]
    found: dict[tuple[str, str], Endpoint] = {}
    for one in sorted(examined, key=lambda one: bool(one.held)):
        if one.endpoint is not None:
            found.setdefault((one.endpoint.url, one.endpoint.model), one.endpoint)
    if not found:
        raise NoEndpoint(domain, examined, role=role)
    return list(found.values())


async def examine_endpoints(
    settings: Settings,
    *,
    domain: str | None,
    role: ModelRole | None,
    model: str | None,
    tier: Tier | None,
    environ: Mapping[str, str],
    rehearsal: bool,
    fleet: "FleetServers | None" = None,
    local_servers: Sequence[LocalServer] = LOCAL_SERVERS,
) -> list[Examined]:
    """Asks all candidates, many at once; each comes back as an endpoint or with the reason why it is none.

    `domain` and `role` None: the models that settings name for them are left out of it.
    """
    look = None if fleet is None else await asyncio.to_thread(fleet.look)
    nodes = _nodes_without_fleet if fleet is None else fleet.nodes
    found = candidates(settings, tier, environ, local_servers)
    placed = await asyncio.to_thread(nodes.of, [one.url for one in found], settings.fleet.nodes)
    found = with_fleet(found, placed, look, own=nodes.own, tier=tier, environ=environ)
    assigned = _assigned_model(settings, domain, role)
    turns = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def examine(candidate: Candidate) -> Examined:
        if candidate.obstacle:
            return Examined(candidate=candidate, reason=candidate.obstacle)
        asked = Endpoint(
            name=candidate.name,
            url=candidate.url,
            model=candidate.model or "",
            api_key=candidate.api_key,
            api_key_env=candidate.api_key_env,
        )
        async with turns:
            answer = await probe_endpoint(asked, timeout_seconds=settings.engine.probe_timeout_seconds)
        wanted = model or (candidate.model if candidate.is_model_final else assigned or candidate.model)
        judged = _judge(candidate, answer, wanted, settings, rehearsal=rehearsal)
        return structs.replace(judged, held=_why_held(judged, look))

    return list(await asyncio.gather(*(examine(candidate) for candidate in found)))


def _why_held(one: Examined, look: "FleetLook | None") -> str:
    """A scripted server costs its machine nothing, so nothing holds it."""
    if look is None or one.endpoint is None or one.endpoint.scripted:
        return ""
    return look.why_held(one.candidate.node)


def _assigned_model(settings: Settings, domain: str | None, role: ModelRole | None) -> str | None:
    """The model that settings name for this work: the domain's, which is the narrower wish, else the role's."""
    by_domain = settings.models.by_domain.get(domain) if domain is not None else None
    return by_domain or (settings.models.by_role.get(role) if role is not None else None)


def _judge(
    candidate: Candidate, answer: EndpointProbe, wanted: str | None, settings: Settings, *, rehearsal: bool
) -> Examined:
    """Whether a server that was asked can be used, and with which model."""
    if answer.failure is not None:
        reason = answer.failure.detail
        if candidate.is_reported and answer.failure.kind in ("connect", "timeout"):
            reason = why_unreachable(candidate, reason)
        return Examined(candidate=candidate, probe=answer, reason=reason)
    if rehearsal != answer.is_scripted:
        reason = (
            "it is not the rehearsal server, and only that was asked for."
            if rehearsal
            else "it is the rehearsal server: it writes scripted calls and is used only with --rehearsal."
        )
        return Examined(candidate=candidate, probe=answer, reason=reason)
    if rehearsal:
        served = find_model(answer.models, REHEARSAL_MODEL)
    else:
        served = find_model(answer.models, wanted) if wanted else likeliest_model(answer.models)
    if served is None:
        names = ", ".join(model.id for model in answer.models[:_MODELS_LISTED]) or "no model at all"
        reason = (
            f"it does not serve {wanted}; it serves {names}." if wanted else f"it serves {names}: load one to chat."
        )
        return Examined(candidate=candidate, probe=answer, reason=reason)
    start = settings.generation.concurrency.high
    most = candidate.concurrency or answer.slots
    endpoint = Endpoint(
        name=candidate.name,
        url=candidate.url,
        model=served.id,
        tier=candidate.tier,
        node=candidate.node,
        scripted=answer.is_scripted,
        context_window_tokens=candidate.context_window_tokens or served.context_window_tokens,
        concurrency=min(start, most or start),
        most_at_once=most,
        api_key=candidate.api_key,
        api_key_env=candidate.api_key_env,
    )
    return Examined(candidate=candidate, probe=answer, model=served, endpoint=endpoint)
