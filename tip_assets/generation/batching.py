"""How many calls to ask for at once to begin with: from complexity and context window.

What is learned while writing lives in batch_sizer.py.
"""

from collections.abc import Sequence

import msgspec

from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.llm.context_budget import (
    UNKNOWN_CONTEXT_TOKENS,
    calls_that_fit,
    exchanges_that_fit,
    tokens_of_call,
)
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import GenerationSettings, IntRange

# From this many calls on, a request's plans use most words of a set anyway.
_CALLS_FOR_THE_WHOLE_GLOSSARY = 4


class BatchPlan(msgspec.Struct, frozen=True):
    """Calls per model call, the exchanges each should have, and the cap on output tokens of the whole.

    `is_fixed` is a size that the settings leave no choice in; it stays the same to the end of a set.
    """

    size: int
    exchanges: IntRange
    max_output_tokens: int
    reason: str
    is_fixed: bool = False

    @property
    def tells_whole_glossary(self) -> bool:
        """Whether requests explain every word of the set, so that all of them begin alike."""
        return self.size >= _CALLS_FOR_THE_WHOLE_GLOSSARY


def plan_batches(spec: DatasetSpec, settings: GenerationSettings, endpoints: Sequence[Endpoint]) -> BatchPlan:
    """The largest batch within the settings' band that fits the smallest context window among `endpoints`.

    Raises:
        BadInput: Not even one call fits.
    """
    is_simple = spec.complexity == "simple"
    band = settings.batch_size_simple if is_simple else settings.batch_size_complex
    exchanges = settings.exchanges_simple if is_simple else settings.exchanges_complex
    windows = [endpoint.context_window_tokens or UNKNOWN_CONTEXT_TOKENS for endpoint in endpoints]
    window = min(windows)
    fits = calls_that_fit(window, exchanges, settings)
    if fits < 1:
        # A small window still holds shorter calls: shrink to what fits rather than give up.
        high = exchanges_that_fit(window, settings)
        if 2 * high < settings.minimum_turns:
            raise BadInput(
                f"a context window of {window} tokens cannot hold one call of {settings.minimum_turns} turns.",
                mend="Load the model with a larger context window (8192 or more), or lower generation.minimum_turns.",
            )
        shorter = IntRange(low=min(exchanges.low, high), high=high)
        return BatchPlan(1, shorter, tokens_of_call(shorter, settings), f"context window of {window} tokens")
    if spec.mode == "two_agent":
        return BatchPlan(1, exchanges, tokens_of_call(exchanges, settings), "two_agent: every turn is a request")
    size = min(fits, band.high, spec.count)
    reason = f"context window of {window} tokens" if fits < band.high else f"{spec.complexity} calls"
    most_tokens = size * tokens_of_call(exchanges, settings)
    return BatchPlan(size, exchanges, most_tokens, reason, is_fixed=band.low == band.high)
