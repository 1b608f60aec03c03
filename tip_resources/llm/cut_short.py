"""Tells an answer that the server cut short from one that hit the limit we set: only the first is worth a retry."""

from tip_resources.llm.call import CallResult
from tip_resources.llm.types import ChatRequest, Endpoint

_NEARLY_ALL = 0.9


def was_cut_by_server(result: CallResult, tokens_seen: int, request: ChatRequest, endpoint: Endpoint) -> bool:
    """Whether a `truncated` answer without an item ended before our limit on tokens and before its context window.

    Args:
        result: How the call ended.
        tokens_seen: Pieces that came, for servers that do not count their tokens.
        request: What was asked.
        endpoint: Who was asked; its context window is minded where it is known.
    """
    if result.failure is None or result.failure.kind != "truncated" or result.items:
        return False
    if result.finish_reason != "length":
        return False
    made = result.tokens_out if result.tokens_out is not None else tokens_seen
    window = endpoint.context_window_tokens
    if window is not None and result.tokens_in is not None and result.tokens_in + made >= _NEARLY_ALL * window:
        return False
    return 0 < made < _NEARLY_ALL * request.max_output_tokens
