"""How fast an endpoint makes tokens: all streams together and one stream; and how many tokens a request takes.

Fed with tokens as they stream, so that it knows after a second what finished calls would tell in a minute.
"""

_WINDOW_SECONDS = 2.0  # the rate is that of the last seconds
_WEIGHT = 0.25  # of the newest call in the moving averages


class Speed:
    """Of one endpoint. Times are seconds of the event loop."""

    def __init__(self) -> None:
        self.tokens_per_second: float | None = None
        self._stream: float | None = None
        self._tokens = 0
        self._since: float | None = None

    def tokens_came(self, tokens: int) -> None:
        """Tokens of any stream."""
        self._tokens += tokens

    def looked_at(self, now: float, talking: int) -> None:
        """Called again and again, with the streams that are talking; averages over the last seconds."""
        if self._since is None or not talking:
            self._since, self._tokens = now, 0
            if not talking:
                self.tokens_per_second = None if self.tokens_per_second is None else 0.0
            return
        seconds = now - self._since
        if seconds <= 0 or not self._tokens:
            return
        rate = self._tokens / seconds
        known = self.tokens_per_second or rate
        weight = min(1.0, seconds / _WINDOW_SECONDS)
        self.tokens_per_second = known + weight * (rate - known)
        stream = self._stream or rate / talking
        self._stream = stream + weight * (rate / talking - stream)
        self._since, self._tokens = now, 0

    def call_ended(self, tokens: int, seconds: float) -> None:
        """A whole answer came: the first measure of a server that does not stream."""
        if self._stream is None and tokens > 0 and seconds > 0:
            self._stream = tokens / seconds

    @property
    def stream_tokens_per_second(self) -> float | None:
        """What one stream gets at the load of these seconds; None until something was measured."""
        return self._stream


class Lengths:
    """How many tokens answers take of what they are allowed, over all endpoints of an engine."""

    def __init__(self) -> None:
        self._share: float | None = None

    def answer_came(self, tokens: int, allowed: int) -> None:
        """A whole answer."""
        share = tokens / max(1, allowed)
        self._share = share if self._share is None else self._share + _WEIGHT * (share - self._share)

    def expected(self, allowed: int) -> float:
        """Tokens of the next answer; what it is allowed while no answer has come."""
        return max(1.0, allowed * (1.0 if self._share is None else self._share))
