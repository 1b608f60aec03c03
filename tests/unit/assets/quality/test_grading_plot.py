"""The picture of grades is well-formed and shows no history where there is none."""

import base64
import re
from xml.etree import ElementTree

from tip_assets.quality.grading_plot import PastGrading, grades_picture

HISTOGRAM = {"realism": {8: 3, 10: 1}, "overall": {7: 4}}


def svg_of(markdown: str) -> str:
    found = re.search(r"base64,([^)]*)", markdown)
    assert found
    svg = base64.b64decode(found[1]).decode()
    ElementTree.fromstring(svg)
    return svg


def test_the_first_materialization_has_no_history() -> None:
    svg = svg_of(grades_picture(HISTOGRAM, [PastGrading(overall=4.0, agreement=None)]))
    assert "calls by grade" in svg and "realism" in svg
    assert "last materializations" not in svg


def test_later_ones_show_what_went_before_with_gaps_where_no_judge_was_asked() -> None:
    past = [PastGrading(overall=4.0, agreement=None), PastGrading(overall=None, agreement=0.4)]
    svg = svg_of(grades_picture(HISTOGRAM, past))
    assert "2 materializations" in svg
    assert svg.count("<circle") == 2


def test_a_set_without_calls_says_so() -> None:
    assert grades_picture({"realism": {}, "overall": {}}, []) == "No call was graded."
