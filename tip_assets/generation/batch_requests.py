"""Requests as the batch API takes them: each for one call, not streamed, and named by their content. Pure."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import Any

import msgspec

from tip_assets.generation.batching import BatchPlan
from tip_resources.llm.answering import each
from tip_resources.llm.dialect import Dialect
from tip_resources.llm.hashing import request_hash
from tip_resources.llm.types import ChatRequest

# What OpenAI's models understand: the newer ones refuse max_tokens.
OPENAI_DIALECT = Dialect(reports_usage=False, limit_field="max_completion_tokens")
# OpenAI takes 64 characters of a custom id.
_NAME_CHARACTERS = 40


def one_by_one(batches: BatchPlan) -> BatchPlan:
    """The same calls, each in a request of its own: what a killed run has asked for can then be told call by call."""
    return msgspec.structs.replace(
        batches,
        size=1,
        max_output_tokens=batches.max_output_tokens // batches.size,
        reason="the batch API: each call is a request",
    )


def batch_body(dialect: Dialect, model: str, request: ChatRequest) -> dict[str, Any]:
    """The request as a batch takes it: nothing is streamed."""
    body = dialect.body(model, request)
    return {name: value for name, value in body.items() if name not in ("stream", "stream_options")}


async def named(
    model: str, requests: Iterable[ChatRequest] | AsyncIterable[ChatRequest]
) -> AsyncGenerator[tuple[str, ChatRequest], None]:
    """Each request with its name: a hash of its content, whatever the dialect, so that a later run recognises it.

    The second of two that are the same is told from the first by a number.
    """
    seen: Counter[str] = Counter()
    async for request in each(requests):
        name = request_hash(batch_body(Dialect(), model, request))[:_NAME_CHARACTERS]
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name}-{seen[name]}"), request
