"""One call under way as the scheduler sees it: what it brought so far, and how long it has been silent.

Times are seconds of the event loop, because silence is measured there (see silence.py); nothing waits here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tip_resources.llm.endpoint_state import EndpointState
    from tip_resources.llm.need import Need


class Flight:
    """A call of `need` to the endpoint of `state`.

    `is_suspect` says that it has been silent for longer than its endpoint ever is; `is_twin` that its request
    was under way elsewhere when it started, `is_trial` that it tells whether a broken endpoint is back, `is_moved`
    that it is being taken off its machine and asked anew.
    """

    def __init__(self, state: "EndpointState", need: "Need", now: float) -> None:
        self.state = state
        self.need = need
        self.started_at = now
        self.heard_at = now
        self.first_token_at: float | None = None
        self.tokens = 0
        self.longest_gap = 0.0
        self.is_suspect = False
        self.suspected_after = 0.0  # seconds of silence that made it suspect
        self.is_twin = False
        self.is_trial = False
        self.is_moved = False
        self._is_held = False

    def heard(self, now: float, tokens: int) -> None:
        """Tokens came."""
        if self.first_token_at is None:
            self.first_token_at = now
        else:
            self.longest_gap = max(self.longest_gap, now - self.heard_at)
        self.heard_at = now
        self.tokens += tokens

    def silent_for(self, now: float) -> float:
        """Since its last token, or since it was sent; while we ourselves do not listen it is not silent."""
        return 0.0 if self._is_held else now - self.heard_at

    def hold(self) -> None:
        """Whoever takes the items is busy, and the stream is not read."""
        self._is_held = True

    def release(self, now: float) -> None:
        """We listen again."""
        self._is_held, self.heard_at = False, now

    def excuse(self, seconds: float) -> None:
        """Our own process stood still for so long: that was no silence of the server."""
        self.heard_at += seconds

    def tokens_per_second(self) -> float | None:
        """Of this stream alone; None until there is something to measure."""
        if self.first_token_at is None or self.heard_at <= self.first_token_at:
            return None
        return self.tokens / (self.heard_at - self.first_token_at)
