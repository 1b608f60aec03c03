"""Grades a call without a model: from measured features to R/C/N/O and the named metrics.

The measures live in features/, what they are worth in rubric.json, formulas and sources in docs/grading.md.
The grade speaks of form alone: whether what was said is true, nobody has checked.
"""

import math
from collections.abc import Mapping

from tip_assets.quality.features.measured_form import MeasuredForm
from tip_assets.quality.features.moods import moods
from tip_assets.quality.features.plan_fit import domain_words, plan_fit
from tip_assets.quality.rubric import local_rubric, local_rubric_version
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.grade import Grade

RUBRIC_VERSION = local_rubric_version()
_BEST = 5.0
# A call is about as good as its weakest side: half of the overall grade is the lowest of the three.
_WEIGHT_OF_THE_WEAKEST = 0.5
_COMPLAINTS = 3
_COMPLAINT_BELOW = 0.8


def measured_features(
    conversation: Conversation, plan: CallPlan | None = None, form: MeasuredForm | None = None
) -> dict[str, float]:
    """Every feature that can be measured on the call, by name; empty for a call without words.

    Features that need English words are left out for other languages, those that need a plan without one. `form` is
    the call's, where it was measured already.
    """
    form = form or MeasuredForm(conversation)
    call = form.call
    if not call.turns:
        return {}
    features = dict(form.features)
    if call.is_english:
        features |= {**domain_words(call), **moods(call, plan.customer if plan else None)}
    if plan is not None:
        features |= plan_fit(call, plan)
    return features


def grade_locally(conversation: Conversation, plan: CallPlan | None = None, form: MeasuredForm | None = None) -> Grade:
    """Grades one call on 0-5 from its form.

    Args:
        conversation: The call; one without any words gets 0.
        plan: What was planned, where it is known; adds facts mentioned and the fit of feelings.
        form: The call's, where it was measured already.

    Returns:
        Realism, coherence and naturalness are weighted geometric means of feature scores, times 5 and
        the scores of what limits every side; overall is the mean of their mean and their lowest.
        The rationale names the worst features.
    """
    features = measured_features(conversation, plan, form)
    rubric = local_rubric()
    if not features:
        nothing = "The call has no words."
        return Grade(
            realism=0.0, coherence=0.0, naturalness=0.0, overall=0.0, rubric_version=RUBRIC_VERSION, rationale=nothing
        )
    scores = {name: rubric.features[name].score(value) for name, value in features.items()}
    # A few turns show too little of anything; words in any order and the same lines again and again are no call,
    # however good the rest looks.
    best = _BEST * math.prod(scores[name] for name in rubric.limits if name in scores)
    sides = {name: best * _geometric_mean(scores, weights) for name, weights in rubric.dimensions.items()}
    metrics = {"naturalness": sides["naturalness"] / _BEST, "coherence": sides["coherence"] / _BEST}
    for name, members in rubric.metrics.items():
        present = {member: 1.0 for member in members if member in scores}
        if present:
            metrics[name] = _geometric_mean(scores, present)
    return Grade(
        realism=round(sides["realism"], 3),
        coherence=round(sides["coherence"], 3),
        naturalness=round(sides["naturalness"], 3),
        overall=round(overall_of(sides), 3),
        metrics={name: round(value, 3) for name, value in metrics.items()},
        grader="tip-local",
        tier="local",
        rubric_version=RUBRIC_VERSION,
        rationale=_rationale(features, scores),
    )


def overall_of(sides: Mapping[str, float]) -> float:
    """The overall grade from the sides, on their scale: the mean of their mean and their lowest."""
    mean = sum(sides.values()) / len(sides)
    return (1 - _WEIGHT_OF_THE_WEAKEST) * mean + _WEIGHT_OF_THE_WEAKEST * min(sides.values())


def _geometric_mean(scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Over the features that were measured; 1 where none of them was."""
    total = sum(weight for name, weight in weights.items() if name in scores)
    if not total:
        return 1.0
    logs = sum(weight * math.log(scores[name]) for name, weight in weights.items() if name in scores)
    return math.exp(logs / total)


def _rationale(features: Mapping[str, float], scores: Mapping[str, float]) -> str:
    rubric = local_rubric()
    worst = sorted((score, name) for name, score in scores.items() if score < _COMPLAINT_BELOW)[:_COMPLAINTS]
    said = [f"{rubric.features[name].complaint(features[name])} ({name} {features[name]:.2f})" for _, name in worst]
    return f"Form only, not truth: {'; '.join(said) if said else 'nothing stands out'}."
