"""How long an endpoint is usually silent, learned from its calls: what is longer makes a call suspect.

No setting: six times what 95 % of the silences stay under, and never less than a third of a second, which is the
hiccup of a busy machine. The timeouts of the settings remain as the last resort.
"""

from tip_resources.llm.flight import Flight
from tip_resources.llm.samples import Samples, percentile

_FACTOR = 6.0
LEAST_SECONDS = 0.3
_ENOUGH_SAMPLES = 4
_TOKENS_THAT_TELL = 20  # a stream shorter than this says little about the gaps of its endpoint
_KEPT = 64


class Patience:
    """Of one endpoint. Times are seconds of the event loop."""

    def __init__(self) -> None:
        self._first_tokens = Samples(_KEPT)
        self._gaps = Samples(_KEPT)

    def first_token_came(self, seconds: float) -> None:
        """A call waited this long for its first token."""
        self._first_tokens.add(seconds)

    def call_ended(self, longest_gap_seconds: float, tokens: int) -> None:
        """A call that ended by itself was never silent for longer than this between two tokens."""
        if tokens >= _TOKENS_THAT_TELL:
            self._gaps.add(longest_gap_seconds)

    def for_first_token(self) -> float | None:
        """The longest unsuspicious silence before the first token; None while too little is known."""
        return _allowed(self._first_tokens.percentile(0.95), len(self._first_tokens))

    def for_gap(self, others: list[Flight]) -> float | None:
        """The longest unsuspicious silence between tokens; streams under way beside it teach too."""
        if len(self._gaps) >= _ENOUGH_SAMPLES:
            return _allowed(self._gaps.percentile(0.95), len(self._gaps))
        gaps = [other.longest_gap for other in others if other.tokens >= _TOKENS_THAT_TELL]
        known = [*gaps, *([] if (most := self._gaps.percentile(1.0)) is None else [most])]
        return None if not known else max(LEAST_SECONDS, _FACTOR * (percentile(known, 1.0) or 0.0))


def _allowed(usual_seconds: float | None, samples: int) -> float | None:
    if usual_seconds is None or samples < _ENOUGH_SAMPLES:
        return None
    return max(LEAST_SECONDS, _FACTOR * usual_seconds)
