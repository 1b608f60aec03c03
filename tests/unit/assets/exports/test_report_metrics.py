"""Figures of the whole set in the report: beside the reference's, in words where something was not measured."""

from tests.unit.assets.exports.test_report import page, report
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
    assert "not measured" in words
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
    assert words.count("self bleu") == 1
    assert "0.594" in words and "0.629" not in words


def test_far_figures_come_first_and_the_others_open_with_a_click():
    far = [
        SetMetric(name=f"feature_{n}", group="style", value=1.0, reference=1.0, distance=float(n)) for n in range(12)
    ]
    drawn = page(report([], metrics=far))
    assert "4 more, nearer to the reference" in drawn.words
    assert drawn.words.index("feature 11") < drawn.words.index("feature 4") < drawn.words.index("4 more")


def test_nothing_measured_is_said():
    assert "Nothing was measured" in shown()


def test_names_from_elsewhere_are_escaped():
    drawn = page(report([], metrics=[SetMetric(name="<b>x", group="flow", value=1.0, detail='"><script>')]))
    assert "script" not in drawn.tags
