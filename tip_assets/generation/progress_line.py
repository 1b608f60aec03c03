"""The one line that says how a set is coming along: how far, how fast, how long, what it took, and who writes.

`412/500 calls kept, 9 rejected, 4.1 calls/s, 812 tok/s, about 21 s to go | 214k tokens, 0.12 USD | rtx 6 (throughput
falls beyond), pi-4b 2 (ceiling), mac 0: in use`

While no endpoint takes calls there is neither a pace nor an end in sight:
`412/500 calls kept, waits: mac is in_use: a game (for 2 min) | 214k tokens, 0.12 USD`
"""

from collections import deque
from collections.abc import Callable, Iterable

from tip_assets.generation.spending import SpendingReport
from tip_assets.generation.write_calls import WritingProgress
from tip_assets.rough_figures import count_of, duration
from tip_resources.llm.endpoint_status import EndpointStatus, why_all_rest

WINDOW_SECONDS = 30.0
# Moments remembered: calls come by the hundred a second, and a rate needs no more than a few points.
_SECONDS_BETWEEN_MOMENTS = 0.5
_MOST_ENDPOINTS = 8
_MOST_REASON = 100  # a held machine, what its people do there, and since when
_MINUTE = 60


class ProgressLine:
    """Rates over the last half minute, so that a knee found late or an endpoint lost shows at once.

    Args:
        clock: Seconds, monotonic.
        spending: What was spent so far; None where nobody counts it.
    """

    def __init__(self, clock: Callable[[], float], spending: Callable[[], SpendingReport] | None = None) -> None:
        self._clock, self._spending = clock, spending
        self._moments: deque[tuple[float, int, int]] = deque()

    def counts(self, spending: Callable[[], SpendingReport]) -> None:
        """Says who counts, once that is known."""
        self._spending = spending

    def heard(self, progress: WritingProgress) -> None:
        """Takes note of a moment; cheap enough to be called for each event."""
        now = self._clock()
        if self._moments and now - self._moments[-1][0] < _SECONDS_BETWEEN_MOMENTS:
            return
        self._moments.append((now, progress.kept, progress.tokens_out))
        # One moment at or before the start of the window stays: the rate is measured from there.
        while len(self._moments) > 2 and self._moments[1][0] <= now - WINDOW_SECONDS:
            self._moments.popleft()

    def text(self, progress: WritingProgress) -> str:
        """The whole line."""
        waits = why_all_rest(progress.endpoints)
        words = [f"waits: {_together(map(_cut, waits), '; ')}"] if waits else self._pace(progress)
        parts = [", ".join([kept(progress), *words])]
        if self._spending is not None:
            parts.append(_spent(self._spending()))
        if progress.endpoints and not waits:
            parts.append(_together(map(_one, progress.endpoints), ", "))
        return " | ".join(parts)

    def short(self, progress: WritingProgress) -> str:
        """What a progress bar does not show by itself: all but the calls kept."""
        return self.text(progress).partition(", ")[2]

    def _pace(self, progress: WritingProgress) -> list[str]:
        words = [f"{progress.rejected} rejected"]
        if not self._moments:
            return words
        at, kept, tokens = self._moments[0]
        seconds = max(self._clock() - at, 1e-6)
        rate, counted = (progress.kept - kept) / seconds, (progress.tokens_out - tokens) / seconds
        # Servers count the tokens of an answer at its end; the streams tell now.
        speed = sum(endpoint.tokens_per_second or 0.0 for endpoint in progress.endpoints) or counted
        if speed > 0 or rate > 0:
            words += [_per_second(rate), f"{speed:.0f} tok/s"]
        if rate > 0 and progress.kept < progress.asked:
            words.append(f"about {duration((progress.asked - progress.kept) / rate)} to go")
        return words


def kept(progress: WritingProgress) -> str:
    """How the line begins: `412/500 calls kept`."""
    return f"{progress.kept}/{progress.asked} calls kept"


def _per_second(rate: float) -> str:
    return f"{rate:.1f} calls/s" if rate >= 1 else f"{rate * _MINUTE:.1f} calls/min"


def _spent(report: SpendingReport) -> str:
    cost = "cost unknown" if report.cost is None else f"{report.cost:.2f} USD"
    return f"{count_of(report.tokens)} tokens, {cost}"


def _together(words: Iterable[str], between: str) -> str:
    said = list(words)
    more = len(said) - _MOST_ENDPOINTS
    return between.join([*said[:_MOST_ENDPOINTS], *([f"and {more} more"] if more > 0 else [])])


def _one(endpoint: EndpointStatus) -> str:
    """`rtx 6 (throughput falls beyond)` at its limit, `rtx 2 of 6 (...)` below it, `mac 0: in use` when unusable."""
    reason = " ".join((endpoint.reason or endpoint.standing).split())
    if endpoint.standing not in ("ready", "full"):
        return f"{endpoint.name} {endpoint.in_flight}: {_cut(reason)}"
    of = f" of {endpoint.limit}" if endpoint.in_flight < endpoint.limit else ""
    why = f" ({_cut(endpoint.limit_reason)})" if endpoint.limit_reason else ""
    return f"{endpoint.name} {endpoint.in_flight}{of}{why}"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_REASON else f"{text[: _MOST_REASON - 3]}..."
