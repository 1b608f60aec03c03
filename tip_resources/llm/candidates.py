"""Which servers could be asked, before any is: from the settings, the environment, and the usual local ports.

Pure. What machines of the fleet report is added in fleet_candidates.py; whether servers answer, and what they serve,
is found out in endpoints.py.
"""

from collections.abc import Mapping, Sequence

import msgspec
from pydantic import SecretStr

from tip_resources.domain.failures import BadInput
from tip_resources.domain.provenance import Tier
from tip_resources.llama.addresses import llama_endpoints
from tip_resources.llm.addresses import name_of, normalized_url, tier_of
from tip_resources.settings.environment import LLM_API_KEY, LLM_MODEL, LLM_URL
from tip_resources.settings.models import EndpointSettings, Settings

OPENAI_API_KEY = "OPENAI_API_KEY"  # the variable that OpenAI's own tools read


class LocalServer(msgspec.Struct, frozen=True):
    """A server that people run on their own machine, and where it listens unless told otherwise."""

    product: str
    url: str


LOCAL_SERVERS = (
    LocalServer("LM Studio", "http://127.0.0.1:1234/v1"),
    LocalServer("Ollama", "http://127.0.0.1:11434/v1"),
    LocalServer("vLLM", "http://127.0.0.1:8000/v1"),
    LocalServer("llama-server", "http://127.0.0.1:8080/v1"),
)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A server that could be asked. `obstacle` says why not to ask it at all; "" when nothing speaks against it.

    `model` is what its settings name, `is_model_final` that nothing but the request itself overrides it. `node` is the
    machine it runs on, "" for an unknown one; `is_reported` that this is known from that machine's agent alone.
    """

    url: str
    name: str
    tier: Tier
    model: str | None = None
    is_model_final: bool = False
    api_key: SecretStr | None = None
    api_key_env: str = ""
    context_window_tokens: int | None = None
    concurrency: int | None = None
    product: str = ""
    is_guess: bool = False
    node: str = ""
    is_reported: bool = False
    obstacle: str = ""


def candidates(
    settings: Settings,
    tier: Tier | None,
    environ: Mapping[str, str],
    local_servers: Sequence[LocalServer] = LOCAL_SERVERS,
) -> list[Candidate]:
    """All servers that could be asked, each once per model named for it, in the order of preference.

    The usual local ports are looked at unless TIP_LLM_URL, the settings or the tier say otherwise: who names a
    server wants that one, not whatever else is running.

    Raises:
        BadInput: TIP_LLM_URL is not an address.
    """
    from_environment = _environment_entry(settings, environ)
    chosen_url = from_environment.url if from_environment else ""
    entries = list(settings.models.endpoints)
    configured = {_url_of(entry) for entry in entries}
    entries += [entry for entry in llama_endpoints(settings.models) if _url_of(entry) not in configured]
    if from_environment and all(_url_of(entry) != _url_of(from_environment) for entry in entries):
        entries.insert(0, from_environment)
    found = [_configured(entry, settings, tier, environ, chosen_url) for entry in entries]
    if settings.models.probe_localhost and tier in (None, "local") and not chosen_url:
        known = {_place(candidate.url) for candidate in found}
        found += [
            Candidate(url=server.url, name=name_of(server.url), tier="local", product=server.product, is_guess=True)
            for server in local_servers
            if _place(server.url) not in known
        ]
    return named_apart(found)


def _environment_entry(settings: Settings, environ: Mapping[str, str]) -> EndpointSettings | None:
    url = environ.get(LLM_URL, "").strip()
    if not url:
        return None
    return EndpointSettings(url=normalized_url(url, where=LLM_URL), model=environ.get(LLM_MODEL) or None)


def _configured(
    entry: EndpointSettings, settings: Settings, asked: Tier | None, environ: Mapping[str, str], chosen_url: str
) -> Candidate:
    try:
        url = normalized_url(entry.url)
    except BadInput as error:
        return Candidate(url="(unusable)", name=entry.name or "endpoint", tier=entry.tier, obstacle=str(error))
    tier = entry.tier if "tier" in entry.model_fields_set else tier_of(url)
    is_chosen = bool(chosen_url) and _place(url) == _place(normalized_url(chosen_url))
    variable = entry.api_key_env or (LLM_API_KEY if is_chosen else OPENAI_API_KEY if tier == "openai" else "")
    key = environ.get(variable, "") if variable else ""
    if not key and variable == LLM_API_KEY and settings.models.api_key is not None:
        key = settings.models.api_key.get_secret_value()
    obstacle = ""
    if asked is not None and tier != asked:
        obstacle = f"it belongs to the tier {tier}, asked was {asked}."
    elif tier == "openai" and asked is None and not is_chosen:
        obstacle = "it is a paid API, used only when the tier openai is chosen."
    elif variable and not key and (entry.api_key_env or tier == "openai"):
        obstacle = f"its key is missing: set the environment variable {variable}."
    return Candidate(
        url=url,
        name=entry.name or name_of(url),
        tier=tier,
        model=entry.model,
        is_model_final=is_chosen and bool(environ.get(LLM_MODEL)),
        api_key=SecretStr(key) if key else None,
        api_key_env=variable,
        context_window_tokens=entry.context_window_tokens,
        concurrency=entry.concurrency,
        obstacle=obstacle,
    )


def named_apart(found: Sequence[Candidate]) -> list[Candidate]:
    """The engine tells endpoints apart by name."""
    seen: dict[str, int] = {}
    result: list[Candidate] = []
    for candidate in found:
        count = seen[candidate.name] = seen.get(candidate.name, 0) + 1
        name = candidate.name if count == 1 else f"{candidate.name}#{count}"
        result.append(msgspec.structs.replace(candidate, name=name))
    return result


def _url_of(entry: EndpointSettings) -> str:
    try:
        return _place(normalized_url(entry.url))
    except BadInput:
        return entry.url


def _place(url: str) -> str:
    """`url` in the one form by which two ways to write the same place are equal."""
    return url.replace("://localhost:", "://127.0.0.1:").replace("://[::1]:", "://127.0.0.1:")
