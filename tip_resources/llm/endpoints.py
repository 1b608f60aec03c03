"""Finds the endpoints a request may use: asks every candidate what it serves and picks the model.

Scripted calls never come from here unless asked for: the rehearsal server counts only with `rehearsal=True`, and
then nothing else does, because a closed LM Studio must never turn a production request into scripted calls.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from tip_resources.domain.failures import TransientFailure
from tip_resources.domain.provenance import Tier
from tip_resources.llm.candidates import LOCAL_SERVERS, Candidate, LocalServer, candidates
from tip_resources.llm.probe import EndpointProbe, probe_endpoint
from tip_resources.llm.served import REHEARSAL_MODEL, ServedModel, find_model, likeliest_model
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import Settings

_MODELS_LISTED = 10

ModelRole = Literal["write", "judge", "refine"]
_TASKS: Mapping[ModelRole, str] = {"write": "writing calls", "judge": "judging calls", "refine": "reading requests"}


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate after it was asked: an endpoint, or the reason why it is none."""

    candidate: Candidate
    probe: EndpointProbe | None = None
    model: ServedModel | None = None
    endpoint: Endpoint | None = None
    reason: str = ""


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
    local_servers: Sequence[LocalServer] = LOCAL_SERVERS,
) -> list[Endpoint]:
    """The endpoints that can write calls of `domain` now, in the order of preference; at least one.

    Args:
        settings: Configured endpoints, and the models per domain and per role.
        domain: Picks the model of `settings.models.by_domain`; "" for work that belongs to no domain.
        role: What the model is for; picks the model of `settings.models.by_role`, after the domain's.
        model: Overrides every other choice of a model.
        tier: None means local and network; `openai` is used only when it is asked for here, or named by
            TIP_LLM_URL.
        environ: The environment: TIP_LLM_URL, TIP_LLM_MODEL, TIP_LLM_API_KEY and the keys that settings name.
        rehearsal: Use only the rehearsal server; otherwise it is never used.
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
        local_servers=local_servers,
    )
    found: dict[tuple[str, str], Endpoint] = {}
    for one in examined:
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
    local_servers: Sequence[LocalServer] = LOCAL_SERVERS,
) -> list[Examined]:
    """Asks all candidates at once; each comes back as an endpoint or with the reason why it is none.

    `domain` and `role` None: the models that settings name for them are left out of it.
    """
    found = candidates(settings, tier, environ, local_servers)
    assigned = _assigned_model(settings, domain, role)

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
        answer = await probe_endpoint(asked, timeout_seconds=settings.engine.probe_timeout_seconds)
        wanted = model or (candidate.model if candidate.is_model_final else assigned or candidate.model)
        return _judge(candidate, answer, wanted, settings, rehearsal=rehearsal)

    return list(await asyncio.gather(*(examine(candidate) for candidate in found)))


def _assigned_model(settings: Settings, domain: str | None, role: ModelRole | None) -> str | None:
    """The model that settings name for this work: the domain's, which is the narrower wish, else the role's."""
    by_domain = settings.models.by_domain.get(domain) if domain is not None else None
    return by_domain or (settings.models.by_role.get(role) if role is not None else None)


def _judge(
    candidate: Candidate, answer: EndpointProbe, wanted: str | None, settings: Settings, *, rehearsal: bool
) -> Examined:
    """Whether a server that was asked can be used, and with which model."""
    if answer.failure is not None:
        return Examined(candidate=candidate, probe=answer, reason=answer.failure.detail)
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
        scripted=answer.is_scripted,
        context_window_tokens=candidate.context_window_tokens or served.context_window_tokens,
        concurrency=min(start, most or start),
        most_at_once=most,
        api_key=candidate.api_key,
        api_key_env=candidate.api_key_env,
    )
    return Examined(candidate=candidate, probe=answer, model=served, endpoint=endpoint)
