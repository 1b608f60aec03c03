"""What a refusal (429, 503) means: no more slots, or a limit on the rate. Pure state of one endpoint, no waiting.

While other calls of ours run there it means that the server's slots are taken: no pause, the next call starts when
one ends. Refused with nothing else in flight, or twice with no call taken in between, it is a limit on the rate:
nothing is sent before the moment the server named.
"""

_ROOM_TRIED_AFTER_SECONDS = 1.0  # at the earliest; longer where calls are longer, doubled while it is in vain
_LONGEST_BETWEEN_TRIES_SECONDS = 60.0
_REFUSALS_THAT_ARE_A_RATE_LIMIT = 2


class Slots:
    """How many calls the server was seen to take. Times are seconds of the engine's clock."""

    def __init__(self) -> None:
        self.most: int | None = None
        self._refused_at = 0.0
        self._refusals = 0
        self._try_again_at = 0.0
        self._step_seconds = 0.0
        self._is_trying = False

    def was_refused(self, now: float, started_at: float, others_in_flight: int, usual_seconds: float) -> bool:
        """A call was refused; True when that is a limit on the rate, False when the slots are taken."""
        # Calls that were sent before the first refusal was heard say the same thing again.
        if started_at >= self._refused_at:
            self._refusals += 1
        self._refused_at = now
        if others_in_flight <= 0:
            return True
        if self._is_trying:
            self._step_seconds = min(2 * self._step_seconds, _LONGEST_BETWEEN_TRIES_SECONDS)
        elif not self._step_seconds:
            self._step_seconds = max(_ROOM_TRIED_AFTER_SECONDS, usual_seconds)
        self._is_trying = False
        self.most = others_in_flight if self.most is None else min(self.most, others_in_flight)
        self._try_again_at = now + self._step_seconds
        return self._refusals > _REFUSALS_THAT_ARE_A_RATE_LIMIT

    def was_taken(self, started_at: float) -> None:
        """A call brought a token."""
        if started_at >= self._refused_at:
            self._refusals = 0
            if self._is_trying:
                self._is_trying, self._step_seconds = False, _ROOM_TRIED_AFTER_SECONDS

    def has_room(self, now: float, in_flight: int) -> bool:
        """Whether one more may be tried; from time to time one more than was ever taken."""
        if self.most is None or in_flight < self.most:
            return True
        return in_flight == self.most and now >= self._try_again_at

    def tries_again_at(self, now: float, in_flight: int) -> float | None:
        """The moment in the future when one more than were taken is tried."""
        is_full = self.most is not None and in_flight == self.most
        return self._try_again_at if is_full and self._try_again_at > now else None

    def call_started(self, now: float, in_flight: int) -> None:
        """`in_flight` counts it too: one more than were taken is a try."""
        if self.most is not None and in_flight > self.most:
            self.most, self._is_trying = in_flight, True
            self._try_again_at = now + self._step_seconds

    def forget(self) -> None:
        """After a pause the server's slots are found anew."""
        self.most, self._refusals, self._step_seconds, self._is_trying = None, 0, 0.0, False
