"""Makes the limiter of an endpoint from the settings and from what was learned about it before."""

from tip_resources.llm.guardrails import Guardrails
from tip_resources.llm.hill_climb import Bounds, HillClimb
from tip_resources.llm.limiter import Learned
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import Settings


def learning_limiter(endpoint: Endpoint, settings: Settings, learned: Learned | None = None) -> HillClimb:
    """A limiter that starts within `generation.concurrency` and finds the endpoint's best concurrency.

    It stays at or below `engine.max_concurrency` and what the endpoint itself takes at most.
    """
    return HillClimb(bounds_of(endpoint, settings), guardrails_of(settings), learned)


def bounds_of(endpoint: Endpoint, settings: Settings) -> Bounds:
    """Where the search for an endpoint's limit starts, and what it never leaves."""
    most, band = settings.engine.max_concurrency, settings.generation.concurrency
    ceiling = min(most, endpoint.most_at_once or most)
    return Bounds(start=min(ceiling, endpoint.concurrency), floor=min(ceiling, band.low), ceiling=ceiling)


def guardrails_of(settings: Settings) -> Guardrails:
    """What may not get worse as more calls are in flight."""
    engine = settings.engine
    return Guardrails(
        p95_first_token_seconds=engine.target_p95_ms / 1000,
        p95_token_seconds=engine.target_token_ms / 1000,
        error_rate=engine.target_error_rate,
    )
