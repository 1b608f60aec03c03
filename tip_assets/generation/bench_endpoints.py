"""Which model each URL of a benchmark serves: asked with some patience, because a device may be faulty on purpose."""

import asyncio
from collections.abc import Callable, Sequence

from pydantic import SecretStr

from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.llm.addresses import name_of, normalized_url, tier_of
from tip_resources.llm.probe import EndpointProbe, probe
from tip_resources.llm.served import likeliest_model
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import Settings

_TRIES = 8
_BETWEEN_SECONDS = 0.25
_DOES_NOT_ANSWER = ("connect", "timeout")
# Servers with one model take any name; one that lists none is asked for this.
_NAMELESS = "default"


async def bench_endpoints(
    urls: Sequence[str], model: str | None, settings: Settings, *, api_key: str = "", say: Callable[[str], None]
) -> tuple[Endpoint, ...]:
    """An endpoint for each URL, scripted servers too: what is measured is the engine, not the text.

    Args:
        urls: Base URLs.
        model: Asked of all of them; None asks each server what it serves.
        settings: Concurrency to start with and the probe's patience.
        api_key: Sent to all of them; empty for none.
        say: Told what people should know: which servers are scripted, which name no model.

    Raises:
        BadInput: A URL is no address, or given twice.
        TransientFailure: No server answers, and no model is named.
    """
    bases = [normalized_url(url, where="--endpoint") for url in urls]
    if len(set(bases)) < len(bases):
        raise BadInput("the same URL is given twice.", where="--endpoint")
    timeout = settings.engine.probe_timeout_seconds
    probes = await asyncio.gather(*(_probed(url, api_key, timeout) for url in bases))
    known = model or next((served.id for found in probes if (served := likeliest_model(found.models))), None)
    return tuple(_endpoint(found, model, known, api_key, settings, say) for found in probes)


async def _probed(url: str, api_key: str, timeout_seconds: float) -> EndpointProbe:
    found = await probe(url, api_key, timeout_seconds=timeout_seconds)
    for _ in range(_TRIES - 1):
        if found.failure is None:
            break
        await asyncio.sleep(_BETWEEN_SECONDS)
        found = await probe(url, api_key, timeout_seconds=timeout_seconds)
    return found


def _endpoint(
    found: EndpointProbe,
    model: str | None,
    known: str | None,
    api_key: str,
    settings: Settings,
    say: Callable[[str], None],
) -> Endpoint:
    served = likeliest_model(found.models)
    if model is None and served is None:
        is_silent = found.failure is not None and found.failure.kind in _DOES_NOT_ANSWER
        if found.failure is not None and is_silent and known is None:
            raise TransientFailure(f"{found.url}: {found.failure.detail} Name its model with --model to wait for it.")
        how = "does not answer yet" if is_silent else "names no model"
        say(f"{found.url} {how}; it is asked for {known or _NAMELESS!r}. --model chooses another name.")
    if found.is_scripted:
        say(f"{found.url} is scripted: it shows what the engine does, not how well a model writes.")
    start = settings.generation.concurrency.high
    return Endpoint(
        name=name_of(found.url),
        url=found.url,
        model=model or (served.id if served is not None else known or _NAMELESS),
        tier=tier_of(found.url),
        scripted=found.is_scripted,
        context_window_tokens=served.context_window_tokens if served is not None else None,
        concurrency=min(start, found.slots or start),
        most_at_once=found.slots,
        api_key=SecretStr(api_key) if api_key else None,
    )
