"""The request engine as everything that asks models for calls uses it: the assets, the CLI, the benchmark."""

from collections.abc import Callable, Sequence

from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.learning import learning_limiter
from tip_resources.llm.types import Endpoint, EngineNotice
from tip_resources.settings.models import Settings


def engine_for(
    endpoints: Sequence[Endpoint],
    settings: Settings,
    *,
    on_notice: Callable[[EngineNotice], None] | None = None,
) -> RequestEngine:
    """An engine over `endpoints`, wired in the one way; use it as an async context manager."""
    return RequestEngine(
        endpoints,
        settings.engine,
        limiter_for=lambda endpoint: learning_limiter(endpoint, settings),
        on_notice=on_notice,
    )
