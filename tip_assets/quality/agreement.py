"""How samples of a judge agree with each other, and grades with other figures, over a set without holding it."""

from collections.abc import Sequence
from itertools import combinations

_LEAST_PAIRS = 3
_NO_VARIATION = 1e-12


class SampleAgreement:
    """Takes the samples of call after call; says how far apart they lie.

    `alpha` is Krippendorff's alpha for interval data (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability):
    1 is perfect agreement, 0 what chance gives, 0.8 what is customary to ask for. A call with one sample has nothing
    to compare and does not count.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._values = 0
        self._sum = self._squares = 0.0
        self._disagreement = 0.0
        self._differences = 0.0
        self._pairs = 0

    def add(self, samples: Sequence[float]) -> None:
        """The samples of one call, on any interval scale."""
        count = len(samples)
        if count < 2:
            return
        total, squares = sum(samples), sum(value * value for value in samples)
        self.calls += 1
        self._values += count
        self._sum += total
        self._squares += squares
        # The sum of squared differences over all ordered pairs of m values is 2 (m * sum of squares - square of sum).
        self._disagreement += 2 * (count * squares - total * total) / (count - 1)
        self._differences += sum(abs(one - other) for one, other in combinations(samples, 2))
        self._pairs += count * (count - 1) // 2

    @property
    def mean_absolute_difference(self) -> float | None:
        """Between two samples of a call, on their scale; None where no call has two."""
        return self._differences / self._pairs if self._pairs else None

    @property
    def alpha(self) -> float | None:
        """None where no call has two samples, or all samples of all calls are the same."""
        expected = 2 * (self._values * self._squares - self._sum * self._sum)
        if self.calls == 0 or expected <= 1e-9 * max(1.0, self._values * self._squares):
            return None
        return 1 - (self._values - 1) * self._disagreement / expected


class Correlation:
    """Pearson's r of pairs, one after the other (Welford's running sums)."""

    def __init__(self) -> None:
        self.pairs = 0
        self._mean_x = self._mean_y = self._xx = self._yy = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        """One pair."""
        self.pairs += 1
        dx, dy = x - self._mean_x, y - self._mean_y
        self._mean_x += dx / self.pairs
        self._mean_y += dy / self.pairs
        self._xx += dx * (x - self._mean_x)
        self._yy += dy * (y - self._mean_y)
        self._xy += dx * (y - self._mean_y)

    @property
    def r(self) -> float | None:
        """None below 3 pairs, or where one side never varies."""
        is_known = self.pairs >= _LEAST_PAIRS and min(self._xx, self._yy) > _NO_VARIATION
        return self._xy / (self._xx * self._yy) ** 0.5 if is_known else None
