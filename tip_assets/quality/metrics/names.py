"""Figures of a set in the words of a reader who knows none of their names, and which of them are shares.

Figures of style have their words in features/style_figures.py. What each figure is, exactly: docs/metrics.md.
"""

from tip_assets.exports.report_text import humanised
from tip_assets.quality.features.style_figures import FIGURES
from tip_assets.quality.metrics.diversity import EQUAL_SIZE
from tip_resources.domain.set_metric import SetMetric

_WORDS = {
    "compression_ratio": "repetition nearby (compression by gzip)",
    "compression_ratio_xz": "repetition across the set (compression by xz)",
    "distinct_1": "different words, of all words",
    "distinct_2": "different pairs of words, of all pairs",
    "distinct_3": "different runs of three words, of all runs",
    "self_repetition": "phrases that other calls have too",
    "self_bleu": "likeness of a call to the others (Self-BLEU)",
    "vendi_score": "calls that are really different (Vendi score)",
    "vendi_score_semantic": "calls that are really different, by meaning (Vendi score)",
    "opening_entropy": "variety of first words, in bits",
    "mattr": "variety of words in a call (MATTR)",
    "mtld": "words until a call repeats its own (MTLD)",
    "hdd": "variety of words, of 42 drawn (HD-D)",
    "accuracy": "how often a classifier is right",
    "accuracy_style": "how often it is right by manner of speaking alone",
    "accuracy_wording": "how often it is right by small words alone",
    "auc": "how often it suspects ours, of one call of each side (AUC)",
    "style_distance": "mean distance in manner of speaking, in deviations",
    "template_rate": "calls that take a course others take",
    "shared_passages": "passages of moves that another call has too",
    "courses_per_call": "different courses, of all calls",
    "commonest_course_share": "calls on the commonest course",
    "plans_delivered": "planned calls that are there",
    "templates_covered": "planned kinds of call that occur",
    "complications_covered": "planned complications that occur",
    "resolutions_covered": "planned outcomes that occur",
    "difficulties_covered": "planned difficulties that occur",
    "tones_covered": "planned courses of feeling that occur",
    "domain_templates_planned": "kinds of call of the domain that were planned",
    "facts_used": "planned facts that are said",
    "slots_said": "kinds of fact that are said",
    "tones_followed": "calls in which the planned feelings are not gainsaid",
    "intents_recognised": "planned steps found by their words",
}
_SHARES = frozenset(
    {
        *("distinct_1", "distinct_2", "distinct_3", "auc", "template_rate", "shared_passages", "courses_per_call"),
        *("accuracy", "accuracy_style", "accuracy_wording"),
    }
)


def words_for(name: str) -> str:
    """What a figure is called; one that has no words here is humanised."""
    bare = name.removesuffix(EQUAL_SIZE)
    return FIGURES[bare].noun if bare in FIGURES else _WORDS.get(bare, humanised(bare))


def is_share(metric: SetMetric) -> bool:
    """Whether the value is a part of a whole, 0 to 1."""
    if metric.group == "style" and metric.name in FIGURES:
        return FIGURES[metric.name].unit == "percent"
    name = metric.name.removesuffix(EQUAL_SIZE)
    return metric.group == "coverage" or name in _SHARES or name.endswith("_share")
