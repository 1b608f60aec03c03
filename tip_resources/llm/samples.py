"""A bounded window of measurements and its percentiles."""

from collections import deque

_KEPT = 128


class Samples:
    """The last measurements of one kind."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._values: deque[float] = deque(maxlen=kept)

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: float) -> None:
        """One more; the oldest is forgotten when the window is full."""
        self._values.append(value)

    def percentile(self, share: float) -> float | None:
        """The value that this share of the window does not exceed; None while it is empty."""
        return percentile(self._values, share)


def percentile(values: "deque[float] | list[float]", share: float) -> float | None:
    """Nearest rank; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
