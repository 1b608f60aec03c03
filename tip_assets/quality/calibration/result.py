"""What a calibration came to, its verdict in words, and where it is kept."""

import hashlib
from typing import Literal

import msgspec
from upath import UPath

from tip_assets.quality.calibration.figures import SideFigures
from tip_resources.domain.codec import from_json, to_json
from tip_resources.domain.grade import GradingTier
from tip_resources.storage.objects import list_objects, object_exists, put_object, read_object, read_objects

LEAST_CORRELATION = 0.80
"""Pearson and Spearman with people, overall grade (arXiv 2510.09738 asks for r >= 0.80 before kappa is looked at)."""
LEAST_KAPPA = 0.60
"""Quadratic-weighted; 0.61 and more is called substantial (Landis and Koch 1977)."""
LEAST_CALLS = 20
MOST_PADDING_GAIN = 0.25
"""Points of 5 that a call may gain on average when polite padding is added to it."""

Verdict = Literal[
    "calibrated", "ranks well, other scale", "does not rank as people do", "too few calls", "pays for padding"
]


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """A grader held against people's labels.

    `order_shift` is the mean overall grade with the criteria reversed less that with them in order; `padding_gain` the
    mean change of the overall grade when polite padding is added; both in points of 5, None where not measured.
    `alpha` and `samples_difference` say how the grader's own samples agree. `length_correlation` is Pearson's r of
    the grade with the number of words; people's own is `people_length_correlation`.
    """

    grader: str
    tier: GradingTier
    rubric_version: str
    calls: int
    calls_without_grade: int
    samples: int
    labels: tuple[str, ...]
    sides: dict[str, SideFigures]
    alpha: float | None = None
    samples_difference: float | None = None
    order_shift: float | None = None
    padding_gain: float | None = None
    length_correlation: float | None = None
    people_length_correlation: float | None = None
    is_scripted: bool = False
    calibrated_at: str = ""

    @property
    def verdict(self) -> Verdict:
        """By the overall grade, because that is what decides."""
        overall = self.sides["overall"]
        if self.calls < LEAST_CALLS:
            return "too few calls"
        ranks = (overall.pearson.value, overall.spearman.value)
        if any(value is None or value < LEAST_CORRELATION for value in ranks):
            return "does not rank as people do"
        if overall.kappa.value is None or overall.kappa.value < LEAST_KAPPA:
            return "ranks well, other scale"
        if self.padding_gain is not None and self.padding_gain > MOST_PADDING_GAIN:
            return "pays for padding"
        return "calibrated"

    @property
    def is_calibrated(self) -> bool:
        """Whether its grades may decide. The scripted server's never may."""
        return self.verdict == "calibrated" and not self.is_scripted

    def in_words(self) -> str:
        """One line: "calibrated: r = 0.86, kappa = 0.71, n = 30"."""
        overall = self.sides["overall"]
        figures = f"r = {_number(overall.pearson.value)}, kappa = {_number(overall.kappa.value)}, n = {self.calls}"
        said = self.verdict if self.verdict == "calibrated" else f"not calibrated, {self.verdict}"
        return f"{said}{' (scripted server: means nothing)' if self.is_scripted else ''}: {figures}"


class Calibrations:
    """The latest calibration of each grader and rubric, one small object each."""

    def __init__(self, folder: UPath) -> None:
        self._folder = folder

    def keep(self, calibration: Calibration) -> None:
        """Takes the place of an earlier one of the same grader, tier and rubric."""
        put_object(self._path(calibration.grader, calibration.tier, calibration.rubric_version), to_json(calibration))

    def find(self, grader: str, tier: GradingTier, rubric_version: str) -> Calibration | None:
        """None when this grader was never calibrated with this rubric."""
        path = self._path(grader, tier, rubric_version)
        return from_json(read_object(path), Calibration, where=str(path)) if object_exists(path) else None

    def all(self) -> list[Calibration]:
        """Every kept calibration, the latest first."""
        kept = read_objects(list_objects(self._folder, "*.json"))
        found = [from_json(data, Calibration, where=str(path)) for path, data in kept]
        return sorted(found, key=lambda one: one.calibrated_at, reverse=True)

    def _path(self, grader: str, tier: GradingTier, rubric_version: str) -> UPath:
        name = hashlib.sha256(to_json((grader, tier, rubric_version))).hexdigest()[:24]
        return self._folder / f"{name}.json"


def words_of(calibration: Calibration | None) -> str:
    """What is said of a grader beside its grades."""
    if calibration is None:
        return "not calibrated: nobody has held it against labelled calls yet (tip judge calibrate)"
    return calibration.in_words()


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
