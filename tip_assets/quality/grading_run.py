"""Grading of a whole set: everybody gets the local grade, a judge may add its own, and one of the two decides.

No model is looked for here and nothing of Dagster is known: judged_calls.py asks, assets.py hands in and out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

from tip_assets.quality.agreement import Correlation, SampleAgreement
from tip_assets.quality.calibration.result import Calibration
from tip_assets.quality.judge_answers import JudgeAnswers
from tip_assets.quality.judge_panel import overall_points
from tip_assets.quality.judged_calls import Judged, Judges, judged_calls
from tip_assets.quality.judging_budget import BUDGET_SPENT, JudgingBudget
from tip_assets.quality.local_grade import local_grade
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.grade import Grade, GradingTier, SecondGrade
from tip_resources.settings.models import QualitySettings

SIDES = ("realism", "coherence", "naturalness", "overall")
STEPS_PER_POINT = 2


def chosen_tier(launchpad: GradingTier | None, spec: DatasetSpec, settings: QualitySettings) -> GradingTier:
    """Who grades: what the launchpad says, else what the data set asked for, else the settings."""
    return launchpad or spec.grading or settings.grading_tier


class GradingRun:
    """Grades the calls of one set and counts what is worth telling.

    A judge's grade decides only while the judge is calibrated with the rubric it is asked by; until then the local
    grade does, and the judge's stands beside it. A call that the judge could not grade keeps its local grade, and is
    counted with the reason.

    Args:
        judges: Who judges; None grades locally alone.
        calibration: The judge's, where there is one.
        samples: How often each call is judged.
        answers: Where the judge's answers are kept.
        on_second: Takes each call's grade that does not decide.
        budget: What judging may cost; None has no limit.
    """

    def __init__(
        self,
        judges: Judges | None,
        calibration: Calibration | None,
        *,
        samples: int,
        answers: JudgeAnswers | None,
        on_second: Callable[[SecondGrade], None],
        budget: JudgingBudget | None = None,
    ) -> None:
        self._budget = budget
        self._judges, self._samples, self._answers, self._on_second = judges, samples, answers, on_second
        self.judge_decides = calibration is not None and calibration.is_calibrated
        self.judged = 0
        self.asked = 0
        self.not_judged: Counter[str] = Counter()
        self.stopped = ""
        """Why the judge was not asked to the end; empty where it was."""
        self.agreement = SampleAgreement()
        self.with_local = Correlation()
        self.with_length = Correlation()
        self.histogram: dict[str, Counter[int]] = {side: Counter() for side in SIDES}
        """Of the deciding grades: how many lie at each half point (0 to 10), by side."""

    def grade(self, planned: Iterable[tuple[Conversation, CallPlan | None]]) -> Iterator[Conversation]:
        """Every call in order, with the grade that decides."""
        if self._judges is None:
            for conversation, plan in planned:
                yield self._graded(conversation, local_grade(conversation, plan))
            return
        for one in judged_calls(
            planned, self._judges, samples=self._samples, answers=self._answers, budget=self._budget
        ):
            yield self._settled(one)

    def _settled(self, one: Judged) -> Conversation:
        local = local_grade(one.conversation, one.plan)
        self.asked += one.asked
        if one.grade is None:
            self.not_judged[one.why_not_kind] += 1
            if one.why_not_kind == BUDGET_SPENT:
                self.stopped = self.stopped or one.why_not
            return self._graded(one.conversation, local)
        self.judged += 1
        self.agreement.add([overall_points(answer) for answer in one.answers])
        self.with_local.add(local.overall, one.grade.overall)
        deciding, second = (one.grade, local) if self.judge_decides else (local, one.grade)
        self._on_second(SecondGrade(id=one.conversation.id, grade=second))
        return self._graded(one.conversation, deciding)

    def _graded(self, conversation: Conversation, grade: Grade) -> Conversation:
        for side, counts in self.histogram.items():
            counts[round(getattr(grade, side) * STEPS_PER_POINT)] += 1
        self.with_length.add(sum(len(turn.text) for turn in conversation.turns), grade.overall)
        annotations = msgspec.structs.replace(conversation.annotations, grade=grade)
        return msgspec.structs.replace(conversation, annotations=annotations)
