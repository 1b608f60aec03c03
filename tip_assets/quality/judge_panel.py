"""What the answers of one judge to one call amount to: a grade, and whether they agree enough to leave it at that."""

from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Literal

from tip_assets.quality.grading import overall_of
from tip_assets.quality.judge_rubric import BEST, SIDES, judge_rubric_version
from tip_assets.quality.judging import JudgeAnswer
from tip_resources.domain.grade import Grade

# Samples of one call further apart than this (overall, of 5 points) hold an outlier: one more is asked, and the
# median then leaves the outlier out. Human raters of one call differ by about a point.
OUTLYING_POINTS = 1.5


async def ask_panel(ask: Callable[[int], Awaitable[JudgeAnswer]], samples: int) -> tuple[JudgeAnswer, ...]:
    """`samples` answers, asked at once, and one more where they lie far apart.

    Args:
        ask: Gives the answer of a sample number, from 0.
        samples: At least 1.

    Raises:
        Exception: Whatever `ask` raised first; the other samples have come to their end by then.
    """
    import asyncio

    asked = await asyncio.gather(*(ask(number) for number in range(samples)), return_exceptions=True)
    answers: list[JudgeAnswer] = []
    for one in asked:
        if isinstance(one, BaseException):
            raise one
        answers.append(one)
    if spread_points(answers) > OUTLYING_POINTS:
        answers.append(await ask(samples))
    return tuple(answers)


def overall_points(answer: JudgeAnswer) -> float:
    """The overall grade of one sample, 0-5."""
    return overall_of({name: answer.scores[name] for name in SIDES})


def spread_points(answers: Sequence[JudgeAnswer]) -> float:
    """Highest less lowest overall grade of the samples, 0-5."""
    overalls = [overall_points(answer) for answer in answers]
    return max(overalls) - min(overalls)


def grade_of(answers: Sequence[JudgeAnswer], *, tier: Literal["network", "openai"], domain: str) -> Grade:
    """The grade that the samples of one call give: the median of each criterion.

    `metrics` are 0-1 as those of the local grade; `samples_count` and `samples_spread_points` say how many answers
    there were and how far apart. The rationale is that of the answer nearest to the grade.
    """
    scores = {name: float(median(answer.scores[name] for answer in answers)) for name in answers[0].scores}
    sides = {name: scores[name] for name in SIDES}
    overall = overall_of(sides)
    metrics = {name: round(value / BEST, 3) for name, value in scores.items() if name != "realism"}
    if domain == "healthcare":
        metrics["medical_accuracy"] = metrics["domain_accuracy"]
    if len(answers) > 1:
        metrics |= {"samples_count": float(len(answers)), "samples_spread_points": round(spread_points(answers), 3)}
    nearest = min(answers, key=lambda answer: abs(overall_points(answer) - overall))
    return Grade(
        **sides,
        overall=round(overall, 3),
        metrics=metrics,
        grader=answers[0].model,
        tier=tier,
        rubric_version=judge_rubric_version(),
        rationale=nearest.rationale,
    )
