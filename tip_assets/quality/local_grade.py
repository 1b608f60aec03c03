"""The whole local grade: what grading.py measures, and the small trained model's opinion as one more metric.

The accept step of generation asks grading.py alone, which is faster; sets and files get both.
"""

import msgspec

from tip_assets.quality.features.measured_form import MeasuredForm
from tip_assets.quality.grading import grade_locally
from tip_assets.quality.realism.human_likeness import human_likeness
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.grade import Grade


def local_grade(conversation: Conversation, plan: CallPlan | None = None) -> Grade:
    """As `grade_locally`, with the metric `human_likeness` (0-1) where the call can be judged by it.

    It changes none of the sides: it is a metric beside them.
    """
    form = MeasuredForm(conversation)
    grade = grade_locally(conversation, plan, form)
    likeness = human_likeness(conversation, form)
    if likeness is None:
        return grade
    return msgspec.structs.replace(grade, metrics={**grade.metrics, "human_likeness": round(likeness, 3)})
