"""What probing found, in the form in which the database keeps it."""

from collections.abc import Sequence

from tip_resources.database.seen_endpoints import SeenEndpoint, SeenModel
from tip_resources.llm.addresses import shared_address
from tip_resources.llm.endpoints import Examined


def seen_of(examined: Sequence[Examined], node: str) -> list[SeenEndpoint]:
    """Servers that answered, and configured ones that did not; each once. Ports where nobody was expected are left out.

    One address may have been asked for several models: the entry that can be used counts.
    """
    seen: dict[str, SeenEndpoint] = {}
    usable: set[str] = set()
    for one in examined:
        candidate, probe = one.candidate, one.probe
        is_absent = probe is None or probe.failure is not None
        if (
            "://" not in candidate.url
            or (candidate.is_guess and is_absent)
            or (candidate.is_reported and probe is None)
        ):
            continue
        address = shared_address(candidate.url, node)
        if address in usable:
            continue
        answers = probe is not None and probe.failure is None
        seen[address] = SeenEndpoint(
            address=address,
            name=candidate.name,
            tier=candidate.tier,
            state="answers" if answers else "not asked" if probe is None else "away",
            details={
                "url": candidate.url,
                "kind": probe.kind if probe is not None else "unknown",
                "reason": one.reason,
                "latency_ms": probe.latency_ms if probe is not None else None,
            },
            models=tuple(
                SeenModel(name=model.id, context_window_tokens=model.context_window_tokens, is_loaded=model.is_loaded)
                for model in ({served.id: served for served in probe.models}.values() if probe is not None else ())
            ),
        )
        if one.endpoint is not None:
            usable.add(address)
    return list(seen.values())
