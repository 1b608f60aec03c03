"""Figures of the whole set in the report: beside the reference's, in words where something was not measured."""

import pytest

from tests.unit.assets.exports.test_report import page, report
from tip_assets.exports.report_text import humanised
from tip_assets.quality.metrics.diversity import LEXICAL, MEASURES
from tip_assets.quality.metrics.names import words_for
from tip_resources.domain.set_metric import SetMetric


def shown(*metrics: SetMetric) -> str:
    return page(report([], metrics=metrics)).words


def test_a_figure_stands_beside_the_references():
    words = shown(
        SetMetric(name="backchannel_share", group="style", value=0.04, reference=0.17, distance=1.9, goal="near it")
    )
    for expected in ("back-channels", "4.0 %", "17.0 %", "1.9"):
        assert expected in words


def test_what_could_not_be_measured_says_why():
    words = shown(SetMetric(name="self_bleu", group="diversity", detail="a set of one call"))
    assert "Not measured: likeness of a call to the others (Self-BLEU)" in words
    assert "a set of one call" in words


def test_the_discriminator_says_what_gives_the_calls_away():
    words = shown(
        SetMetric(name="accuracy", group="discriminator", value=0.93, detail="95 % interval 0.86 to 0.97"),
        SetMetric(name="fillers", group="telling", value=-1.2, detail="fewer fillers: 1 against 5; distance is d"),
    )
    for expected in ("93.0 %", "0.86 to 0.97", "fewer fillers: 1 against 5"):
        assert expected in words
    assert "distance is d" not in words


def test_a_set_too_small_for_the_discriminator_says_so():
    words = shown(SetMetric(name="accuracy", group="discriminator", detail="too few calls: 6 of 20"))
    assert "too few calls: 6 of 20" in words


def test_a_measure_is_shown_once_at_the_size_of_the_reference():
    words = shown(
        SetMetric(name="self_bleu", group="diversity", value=0.6288),
        SetMetric(name="self_bleu_at_equal_size", group="diversity", value=0.594, reference=0.155, distance=2.8),
    )
    assert words.count("Self-BLEU") == 1
    assert "0.594" in words and "0.629" not in words


def test_far_figures_come_first_and_the_others_open_with_a_click():
    far = [
        SetMetric(name=f"feature_{n}", group="style", value=1.0, reference=1.0, distance=float(n)) for n in range(12)
    ]
    drawn = page(report([], metrics=far))
    assert "4 more, nearer to the reference" in drawn.words
    assert drawn.words.index("feature 11") < drawn.words.index("feature 4") < drawn.words.index("4 more")


def test_what_nothing_could_be_compared_with_is_not_called_near():
    alone = [SetMetric(name=f"feature_{n}", group="style", value=1.0, detail="too few to compare") for n in range(12)]
    words = shown(*alone)
    assert "4 more" in words and "nearer" not in words and "Farthest" not in words
    assert "Nothing could be compared with the reference." in words


def test_figures_without_a_value_are_one_sentence_for_each_reason():
    some, others = ("mattr", "mtld"), ("self_bleu", "vendi_score", "hdd", "opening_entropy", "distinct_1", "distinct_2")
    words = shown(
        *(SetMetric(name=name, group="diversity", detail="what it is: no word comes twice") for name in some),
        *(SetMetric(name=name, group="diversity", detail="what it is: one call") for name in others),
    )
    assert words.count("Not measured") == 2
    assert "and 2 more (one call)" in words and "what it is" not in words


def test_the_whole_set_stands_where_nothing_could_be_compared():
    words = shown(
        SetMetric(name="distinct_1", group="diversity", value=0.925),
        SetMetric(name="distinct_1_at_equal_size", group="diversity", detail="label: fewer than two calls"),
    )
    assert "92.5 %" in words and "Not measured" not in words


def test_shares_have_one_form_and_their_goals_too():
    words = shown(
        SetMetric(name="plans_delivered", group="coverage", value=1.0, goal="1"),
        SetMetric(name="facts_used", group="coverage", value=0.95, goal="near 1"),
        SetMetric(name="domain_templates_planned", group="coverage", value=0.05, goal="1 in a set of 100 calls"),
    )
    for expected in ("100.0 %", "95.0 %", "5.0 %", "goal: 100 %", "goal: near 100 %", "100 % in a set of 100 calls"):
        assert expected in words


@pytest.mark.parametrize("name", [*MEASURES, *LEXICAL, "auc", "template_rate", "facts_used"])
def test_every_figure_has_words(name: str):
    assert words_for(name) not in (name, humanised(name))


def test_nothing_measured_is_said():
    assert "Nothing was measured" in shown()


def test_names_from_elsewhere_are_escaped():
    drawn = page(report([], metrics=[SetMetric(name="<b>x", group="flow", value=1.0, detail='"><script>')]))
    assert "script" not in drawn.tags
