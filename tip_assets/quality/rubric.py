"""The rubric of the local grader: what a measured value is worth. The numbers are in rubric.json."""

from functools import cache
from importlib.resources import files

import msgspec

from tip_assets.quality.judge_rubric import content_hash

# A feature that is as bad as can be still leaves this much, so that the other features keep mattering.
_LEAST_SCORE = 0.02

Points = tuple[float | None, float | None, float | None, float | None]


class FeatureRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Score 0 at the outer points, 1 between the inner ones; `low` and `high` name what is then wrong."""

    points: Points
    floor: float
    low: str
    high: str

    def score(self, value: float) -> float:
        """What a value is worth, 0-1."""
        zero_low, full_low, full_high, zero_high = self.points
        score = 1.0
        if full_low is not None and zero_low is not None and value < full_low:
            score = (value - zero_low) / (full_low - zero_low)
        elif full_high is not None and zero_high is not None and value > full_high:
            score = (zero_high - value) / (zero_high - full_high)
        return max(_LEAST_SCORE, self.floor, min(1.0, score))

    def complaint(self, value: float) -> str:
        """What is wrong with a value that is not worth 1."""
        full_low = self.points[1]
        return self.low if full_low is not None and value < full_low else self.high


class Rubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules by feature, features that limit every side, features with weights by dimension, features by metric."""

    version: str
    about: str
    features: dict[str, FeatureRule]
    limits: tuple[str, ...]
    dimensions: dict[str, dict[str, float]]
    metrics: dict[str, tuple[str, ...]]


@cache
def local_rubric() -> Rubric:
    """The rubric that ships with tip."""
    return msgspec.json.decode(_content(), type=Rubric)


@cache
def local_rubric_version() -> str:
    """Name and content hash, `local-2+1a2b3c4d`: grades with different ones cannot be compared."""
    return f"{local_rubric().version}+{content_hash(_content())}"


@cache
def _content() -> bytes:
    return (files("tip_assets.quality") / "rubric.json").read_bytes()
