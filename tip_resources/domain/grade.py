"""A grade: what a grader says of one conversation. How grades are made lives in tip_assets/quality."""

from typing import Literal

import msgspec

GradingTier = Literal["local", "network", "openai"]


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """R/C/N/O on 0-5, with the named metrics behind them (each 0-1 unless its name has a unit)."""

    realism: float
    coherence: float
    naturalness: float
    overall: float
    metrics: dict[str, float] = {}
    grader: str = "local"
    tier: GradingTier = "local"
    rubric_version: str = ""
    rationale: str = ""


class SecondGrade(msgspec.Struct, frozen=True, kw_only=True):
    """The grade of a call that stands beside the one that decides (annotations.grade)."""

    id: str
    grade: Grade
