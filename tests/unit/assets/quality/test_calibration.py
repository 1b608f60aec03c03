"""The labelled calls can be read and extended, and what a calibration says of the local tier is what the page says."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from upath import UPath

from tip_assets.quality.calibration.calibrate import GradedCall, calibrate, local_grader
from tip_assets.quality.calibration.labels import built_in_labels, read_labelled_calls, read_labels_table
from tip_assets.quality.calibration.padding import padded
from tip_assets.quality.calibration.result import Calibration, Calibrations
from tip_assets.quality.grading import RUBRIC_VERSION
from tip_assets.quality.judging import JudgeAnswer
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade

DOCS = Path(__file__).parents[4] / "docs" / "grading.md"
NAMES = ("realism", "coherence", "naturalness", "domain_accuracy", "emotional_consistency", "flow", "completeness")


def graded(overall: float, *by_sample: tuple[bool, float]) -> GradedCall:
    answers = tuple(
        JudgeAnswer(
            model="m", sample=number, is_reversed=turned, scores=dict.fromkeys(NAMES, value), rationale="because"
        )
        for number, (turned, value) in enumerate(by_sample)
    )
    grade = Grade(realism=overall, coherence=overall, naturalness=overall, overall=overall)
    return GradedCall(grade=grade, answers=answers)


def calibrated(labelled: list[Conversation], grader, **more) -> Calibration:
    options = {"name": "m", "tier": "network", "labels": ("test",), "on_ungraded": lambda why: None}
    return calibrate(labelled, grader, **{**options, **more})


def test_the_labelled_calls_are_of_three_domains_and_every_quality() -> None:
    calls = built_in_labels()
    assert 24 <= len(calls) <= 40
    assert len({call.id for call in calls}) == len(calls)
    assert {call.domain for call in calls} == {"healthcare", "retail", "telecommunications"}
    grades = [call.annotations.grade for call in calls if call.annotations.grade]
    assert {int(grade.overall) for grade in grades} == {0, 1, 2, 3, 4, 5}
    assert all(grade.grader == "tip maintainers" and grade.rationale for grade in grades)


def test_the_published_figures_of_the_local_tier_are_what_it_measures() -> None:
    result = calibrated(built_in_labels(), local_grader, name="tip-local", tier="local")
    assert (result.calls, result.rubric_version) == (len(built_in_labels()), RUBRIC_VERSION)
    page = DOCS.read_text(encoding="utf-8")
    for side, found in result.sides.items():
        cells = [f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})" for figure in
                 (found.pearson, found.spearman, found.kappa)]  # fmt: skip
        assert f"| {side} | {' | '.join(cells)} | {found.bias:+.2f} |" in page
    assert not result.is_calibrated


def test_a_grader_that_agrees_with_people_is_calibrated_and_never_sees_their_grades() -> None:
    labelled = built_in_labels()
    label = {call.id: call.annotations.grade for call in labelled}

    def agrees(calls: Iterable[Conversation]) -> Iterator[GradedCall]:
        for call in calls:
            assert call.annotations.grade is None
            yield GradedCall(grade=label[call.id.removesuffix("-padded")])

    result = calibrated(labelled, agrees)
    assert result.is_calibrated
    assert result.padding_gain == 0.0


def test_what_padding_and_order_are_worth_to_a_judge_is_measured() -> None:
    labelled = built_in_labels()

    def likes_length(calls: Iterable[Conversation]) -> Iterator[GradedCall]:
        for call in calls:
            assert call.annotations.grade is None
            bonus = 1.0 if call.id.endswith("-padded") else 0.0
            yield graded(3.0 + bonus, (False, 3.0), (True, 3.5), (False, 3.0))

    result = calibrated(labelled, likes_length, samples=3)
    assert result.padding_gain == pytest.approx(1.0)
    assert result.order_shift == pytest.approx(0.5)
    assert result.samples_difference == pytest.approx(1 / 3)


def test_padding_adds_turns_and_changes_none() -> None:
    call = built_in_labels()[0]
    longer = padded(call)
    assert len(longer.turns) == len(call.turns) + 8
    assert [turn for turn in longer.turns if turn in call.turns] == list(call.turns)


def test_calls_without_a_grade_are_named_and_too_few_are_an_error() -> None:
    said: list[str] = []

    def refuses(calls: Iterable[Conversation]) -> Iterator[GradedCall]:
        for number, _ in enumerate(calls):
            yield graded(float(number)) if number < 2 else GradedCall(grade=None, why_not="refusal")

    with pytest.raises(BadInput, match="only 2 of 4"):
        calibrated(built_in_labels()[:4], refuses, on_ungraded=said.append)
    assert len(said) == 2
    assert "refusal" in said[0]


def test_a_users_own_labels_are_read_from_either_form(tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    turns = [{"speaker": "agent", "text": "Hello."}]
    calls.write_text("".join(json.dumps({"id": str(n), "turns": turns}) + "\n" for n in range(3)))
    table = tmp_path / "labels.csv"
    table.write_text("\ufeffid,realism,coherence,naturalness,overall,note\n1,4,4.5,3,3.5,fine\n0,1,1,1,1,\n")
    assert [(call.id, call.annotations.grade.overall) for call in read_labels_table(table, calls)
            if call.annotations.grade] == [("1", 3.5), ("0", 1.0)]  # fmt: skip
    with pytest.raises(BadInput, match=r"call 0 has no annotations\.grade"):
        read_labelled_calls(calls)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("9,4,4,4,4", "no call has the id '9'"),
        ("1,4,4,4,5.5", "overall is 5.5, not from 0 to 5"),
        ("1,4,4,4,nan", "overall is nan"),
        ("1,4,four,4,4", "no number"),
        ("1,4,,4,4", "no number"),
    ],
)
def test_a_label_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    calls, table = tmp_path / "calls.jsonl", tmp_path / "labels.csv"
    calls.write_text(json.dumps({"id": "1", "turns": []}) + "\n")
    table.write_text(f"id,realism,coherence,naturalness,overall\n{row}\n")
    with pytest.raises(BadInput) as failure:
        read_labels_table(table, calls)
    assert said in str(failure.value)
    assert "line 2" in str(failure.value)


def test_a_table_without_a_column_says_which(tmp_path: Path) -> None:
    calls, table = tmp_path / "calls.jsonl", tmp_path / "labels.csv"
    calls.write_text(json.dumps({"id": "1", "turns": []}) + "\n")
    table.write_text("id,overall\n1,4\n")
    with pytest.raises(BadInput, match="coherence, naturalness, realism"):
        read_labels_table(table, calls)


def test_a_calibration_holds_for_one_model_tier_and_rubric(tmp_path: Path) -> None:
    kept = Calibrations(UPath(tmp_path / "calibrations"))
    assert kept.all() == []
    result = calibrated(built_in_labels(), local_grader, name="tip-local", tier="local")
    kept.keep(result)
    assert kept.find("tip-local", "local", RUBRIC_VERSION) == result
    assert kept.find("tip-local", "local", "local-9+0") is None
    assert kept.find("tip-local", "network", RUBRIC_VERSION) is None
    assert kept.all() == [result]
