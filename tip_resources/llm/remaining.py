"""How long the other endpoints would need for all that is left: what a slow one could only finish later is not begun.

Pure; seconds and tokens.
"""

from collections.abc import Sequence

from tip_resources.llm.endpoint_state import EndpointState


def seconds_of_the_rest(
    others: Sequence[EndpointState], requests_left: int | None, allowed_tokens: int
) -> float | None:
    """Seconds these endpoints need, at the rate of the last seconds, for what they hold and what is left.

    Args:
        others: The endpoints that could do the work instead.
        requests_left: Those that wait or were not taken yet; None when unknown.
        allowed_tokens: Most tokens of one answer.

    Returns:
        None when unknown, or when none of them makes tokens now.
    """
    rate = sum(state.measures.speed.tokens_per_second or 0.0 for state in others)
    if requests_left is None or rate <= 0:
        return None
    lengths = others[0].measures.lengths
    tokens = requests_left * lengths.expected(allowed_tokens)
    tokens += sum(
        max(0.0, lengths.expected(flight.need.tokens) - flight.tokens) for state in others for flight in state.flights
    )
    # The last call does not end when the work does: it takes as long as a call takes.
    one_call = min((seconds for state in others if (seconds := state.seconds_for(allowed_tokens))), default=0.0)
    return max(tokens / rate, one_call)
