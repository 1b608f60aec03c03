"""Figures of the whole set in the report: beside the reference's, in words where something was not measured."""

from tests.unit.assets.exports.test_report import page, report
from tip_resources.domain.set_metric import SetMetric


def shown(*metrics: SetMetric) -> str:
    return page(report([], metrics=metrics)).words


def test_a_figure_stands_beside_the_references():
    words = shown(
        SetMetric(name="backchannel_share", group="style", value=0.04, reference=0.17, distance=1.9, goal="near it")
    )
    for expected in ("backchannel share", "near it", "0.04", "0.17", "1.9"):
        assert expected in words


def test_what_could_not_be_measured_says_why():
    words = shown(SetMetric(name="self_bleu", group="diversity", detail="a set of one call"))
    assert "not measured" in words
    assert "a set of one call" in words


def test_the_discriminator_says_what_gives_the_calls_away():
    words = shown(
        SetMetric(name="accuracy", group="discriminator", value=0.93, detail="95 % interval 0.86 to 0.97"),
        SetMetric(name="fillers", group="telling", value=-1.2, detail="fewer fillers: 1 against 5 per 100 words"),
    )
    assert "0.93" in words
    assert "fewer fillers: 1 against 5 per 100 words" in words


def test_nothing_measured_is_said():
    assert "Nothing was measured" in shown()


def test_names_from_elsewhere_are_escaped():
    drawn = page(report([], metrics=[SetMetric(name="<b>x", group="flow", value=1.0, detail='"><script>')]))
    assert "script" not in drawn.tags
