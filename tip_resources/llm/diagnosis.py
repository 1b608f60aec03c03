"""The endpoint part of `tip doctor`: what a newcomer gets wrong about model servers, and how to mend it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from tip_resources.llm.candidates import LOCAL_SERVERS, LocalServer
from tip_resources.llm.context_budget import UNKNOWN_CONTEXT_TOKENS, calls_that_fit, exchanges_that_fit
from tip_resources.llm.endpoints import Examined, examine_endpoints
from tip_resources.llm.served import find_model
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import Settings

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at. `mend` says what to do; it may hold advice although all is well."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def diagnose_endpoints(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    fleet: "FleetServers | None" = None,
    local_servers: Sequence[LocalServer] = LOCAL_SERVERS,
) -> list[Finding]:
    """Asks every server that could be used, and says for each what stands in the way. Takes a few seconds at most.

    Those that the machines of `fleet` report are asked as well.
    """
    examined = asyncio.run(
        examine_endpoints(
            settings,
            domain=None,
            role=None,
            model=None,
            tier=None,
            environ=environ,
            rehearsal=False,
            fleet=fleet,
            local_servers=local_servers,
        )
    )
    # On most machines most local ports are empty: that is a finding only when nothing at all was found.
    heard = [one for one in examined if not (one.candidate.is_guess and one.endpoint is None)]
    findings = [finding for one in heard for finding in _findings(one, settings)]
    findings += _assigned(examined, settings)
    if not any(one.endpoint for one in examined):
        findings.append(_nothing_found([one for one in examined if one.candidate.is_guess]))
    return findings


def _findings(one: Examined, settings: Settings) -> list[Finding]:
    name = one.candidate.name
    if one.candidate.is_reported and (one.probe is None or one.probe.failure is not None):
        # A machine that is switched off is no fault; `tip nodes` shows how it stands.
        return [Finding(f"endpoint {name}", one.probe is None, f"{one.candidate.url}: {one.reason}")]
    if one.probe is None:
        is_key = "key is missing" in one.reason
        mend = "Set the variable in the environment or in .env." if is_key else "Check models.endpoints."
        # A tier that was not chosen is no fault.
        ok = "tier" in one.reason and not is_key
        return [Finding(f"API key of {name}" if is_key else f"endpoint {name}", ok, one.reason, "" if ok else mend)]
    if one.probe.failure is not None:
        mend = "Start the server, or correct the address in TIP_LLM_URL or models.endpoints."
        return [Finding(f"endpoint {name}", False, f"{one.candidate.url}: {one.reason}", mend)]
    models = ", ".join(model.id for model in one.probe.models[:10]) or "no model"
    seen = f"{one.probe.kind} at {one.candidate.url} answers in {one.probe.latency_ms or 0:.0f} ms; serves {models}"
    found = [Finding(f"endpoint {name}", True, f"{seen}; {one.held}" if one.held else seen)]
    if one.endpoint is None:
        mend = "Set TIP_LLM_MODEL (or models.endpoints) to one of these, or load the model in the server."
        return [
            *found,
            Finding(f"model of {name}", one.probe.is_scripted, one.reason, "" if one.probe.is_scripted else mend),
        ]
    return [*found, _loaded(one, one.endpoint), _context(one.endpoint, settings)]


def _loaded(one: Examined, endpoint: Endpoint) -> Finding:
    name = f"model of {endpoint.name}"
    if one.model is not None and one.model.is_loaded is False:
        detail = f"{endpoint.model} is listed but not loaded: the first call waits until it is."
        return Finding(name, False, detail, "Load it in the server before a large request.")
    return Finding(name, True, f"{endpoint.model} will be asked.")


def _context(endpoint: Endpoint, settings: Settings) -> Finding:
    """Whether the batch of the settings fits. Smaller batches work too, only slower; not even one call is a fault."""
    name = f"context window of {endpoint.name}"
    window, generation = endpoint.context_window_tokens, settings.generation
    batch = generation.batch_size_simple.high
    if window is None:
        detail = f"the server does not tell; {UNKNOWN_CONTEXT_TOKENS} tokens are assumed."
        return Finding(name, True, detail, "Set context_window_tokens in models.endpoints for larger batches.")
    fitting = calls_that_fit(window, generation.exchanges_simple, generation)
    if fitting >= batch:
        return Finding(name, True, f"{window} tokens hold the full batch of {batch} simple calls.")
    mend = "Load the model with a larger context window."
    if fitting:
        detail = f"{window} tokens hold {fitting} simple calls at once; up to {batch} would be asked for."
        return Finding(name, True, detail, f"{mend} Larger batches are faster.")
    longest = exchanges_that_fit(window, generation)
    if 2 * longest >= generation.minimum_turns:
        detail = f"{window} tokens are too small for a full call: calls will have {longest} exchanges at most."
    else:
        detail = f"{window} tokens cannot hold one call of {generation.minimum_turns} turns."
    return Finding(name, False, detail, mend)


def _assigned(examined: Sequence[Examined], settings: Settings) -> list[Finding]:
    """The models that settings name for a domain or a role, and whether anybody serves them."""
    wanted = {f"models.by_domain.{domain}": name for domain, name in settings.models.by_domain.items()}
    wanted |= {f"models.by_role.{role}": name for role, name in settings.models.by_role.items()}
    probes = [one.probe for one in examined if one.probe is not None]
    findings: list[Finding] = []
    for key, name in wanted.items():
        if any(find_model(probe.models, name) for probe in probes):
            findings.append(Finding(key, True, f"{name} is served."))
        else:
            mend = f"Load {name} in a server, or change {key}."
            findings.append(Finding(key, False, f"no server that answers has {name}.", mend))
    return findings


def _nothing_found(guesses: Sequence[Examined]) -> Finding:
    tried = "; ".join(f"{one.candidate.product} {one.candidate.url}: {one.reason}" for one in guesses)
    return Finding(
        "model server",
        False,
        f"none can be used. {tried}".strip(),
        "Start LM Studio (or Ollama, vLLM, llama-server) and load a model, or set TIP_LLM_URL. "
        "Without a model, --rehearsal runs everything on scripted calls.",
    )
