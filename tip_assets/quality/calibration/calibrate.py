"""Holds a grader against labelled calls."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean

import msgspec

from tip_assets.quality.agreement import Correlation, SampleAgreement
from tip_assets.quality.calibration.figures import side_figures
from tip_assets.quality.calibration.labels import SIDES
from tip_assets.quality.calibration.padding import padded
from tip_assets.quality.calibration.result import Calibration
from tip_assets.quality.grading import RUBRIC_VERSION, grade_locally
from tip_assets.quality.judge_panel import overall_points
from tip_assets.quality.judge_rubric import judge_rubric_version
from tip_assets.quality.judging import JudgeAnswer
from tip_resources.domain.conversation import Annotations, Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade, GradingTier

# Every second of the better half: good calls are where padding could pay.
_PADDED_CALLS = 6


class GradedCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the grader said of one call: no grade with the reason, or a grade and the samples behind it."""

    grade: Grade | None
    answers: tuple[JudgeAnswer, ...] = ()
    why_not: str = ""


# Grades calls in their order.
Grader = Callable[[Iterable[Conversation]], Iterator[GradedCall]]


def calibrate(
    labelled: Sequence[Conversation],
    grader: Grader,
    *,
    name: str,
    tier: GradingTier,
    labels: tuple[str, ...],
    samples: int = 1,
    is_scripted: bool = False,
    on_ungraded: Callable[[str], None],
) -> Calibration:
    """Grades the labelled calls and some of them with padding, and compares.

    Args:
        labelled: Calls with people's grade under annotations.grade; the grader never sees it.
        grader: Grades calls in their order.
        name: The grader's name: its model, or `tip-local`.
        tier: Of the grader.
        labels: Where the labels come from, for the record.
        samples: How often each call is graded.
        is_scripted: The scripted server graded, so the figures mean nothing.
        on_ungraded: Told about each call without a grade, and why.

    Raises:
        BadInput: Fewer than 3 calls got a grade.
    """
    bare = [msgspec.structs.replace(call, annotations=_without_grade(call)) for call in labelled]
    best = sorted(range(len(labelled)), key=lambda at: -_label(labelled[at]).overall)[: 2 * _PADDED_CALLS : 2]
    graded = list(grader([*bare, *(padded(bare[at]) for at in best)]))
    for call, one in zip(labelled, graded, strict=False):
        if one.grade is None:
            on_ungraded(f"call {call.id} has no grade: {one.why_not}")
    known = [(call, one, one.grade) for call, one in zip(labelled, graded, strict=False) if one.grade is not None]
    if len(known) < 3:
        raise BadInput(f"only {len(known)} of {len(labelled)} labelled calls got a grade; at least 3 are needed.")
    agreement = SampleAgreement()
    for _, one, _ in known:
        agreement.add([overall_points(answer) for answer in one.answers])
    by_length, by_length_for_people = Correlation(), Correlation()
    for call, _, grade in known:
        words = sum(len(turn.text.split()) for turn in call.turns)
        by_length.add(words, grade.overall)
        by_length_for_people.add(words, _label(call).overall)
    return Calibration(
        grader=name,
        tier=tier,
        rubric_version=RUBRIC_VERSION if tier == "local" else judge_rubric_version(),
        calls=len(known),
        calls_without_grade=len(labelled) - len(known),
        samples=samples,
        labels=labels,
        sides={
            side: side_figures(
                [getattr(_label(call), side) for call, _, _ in known], [getattr(grade, side) for _, _, grade in known]
            )
            for side in SIDES
        },
        alpha=agreement.alpha,
        samples_difference=agreement.mean_absolute_difference,
        order_shift=_order_shift([one.answers for _, one, _ in known]),
        padding_gain=_padding_gain(graded[: len(labelled)], dict(zip(best, graded[len(labelled) :], strict=True))),
        length_correlation=by_length.r,
        people_length_correlation=by_length_for_people.r,
        is_scripted=is_scripted,
        calibrated_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def local_grader(calls: Iterable[Conversation]) -> Iterator[GradedCall]:
    """The measured grade, as a grader to calibrate."""
    for call in calls:
        yield GradedCall(grade=grade_locally(call))


def _label(call: Conversation) -> Grade:
    grade = call.annotations.grade
    if grade is None:
        raise BadInput(f"call {call.id} has no label under annotations.grade.")
    return grade


def _without_grade(call: Conversation) -> Annotations:
    return msgspec.structs.replace(call.annotations, grade=None)


def _order_shift(panels: Iterable[tuple[JudgeAnswer, ...]]) -> float | None:
    """Mean over the calls that were asked in both orders: reversed less in order."""
    shifts = []
    for answers in panels:
        turned = [overall_points(one) for one in answers if one.is_reversed]
        in_order = [overall_points(one) for one in answers if not one.is_reversed]
        if turned and in_order:
            shifts.append(fmean(turned) - fmean(in_order))
    return fmean(shifts) if shifts else None


def _padding_gain(graded: Sequence[GradedCall], with_padding: Mapping[int, GradedCall]) -> float | None:
    gains = [
        longer.grade.overall - plain.grade.overall
        for at, longer in with_padding.items()
        if (plain := graded[at]).grade is not None and longer.grade is not None
    ]
    return fmean(gains) if gains else None
