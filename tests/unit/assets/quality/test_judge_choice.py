"""Nobody there to judge: the step fails with words that name what to do, and grades in no other way."""

from pathlib import Path

import pytest
from upath import UPath

from tests.unit.assets.quality.conftest import call_of
from tests.unit.assets.quality.judge_server import judging_settings
from tests.unit.assets.quality.test_agreement import calibration
from tip_assets.quality.calibration.result import Calibrations
from tip_assets.quality.grading_run import GradingRun, chosen_tier
from tip_assets.quality.judge_answers import JudgeAnswers
from tip_assets.quality.judge_choice import NoJudge, calibration_of, judges_of_set, scripted_judges
from tip_assets.quality.judge_rubric import judge_rubric_version
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.grade import SecondGrade
from tip_resources.settings.models import QualitySettings, Settings

SPEC = DatasetSpec(name="shop", count=1, domain="retail")


def test_without_a_judge_the_words_name_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIP_LLM_URL", raising=False)
    settings = judging_settings("http://127.0.0.1:9/v1")
    short = settings.model_copy(
        update={"engine": settings.engine.model_copy(update={"unavailable_limit_seconds": 0.01})}
    )
    monkeypatch.setattr("tip_assets.quality.judged_calls._LOOK_EVERY_SECONDS", 0.01)
    with pytest.raises(NoJudge) as failure, judges_of_set(SPEC, "network", lambda: short, None):
        pytest.fail("there is no judge")
    assert "http://127.0.0.1:9/v1" in str(failure.value)
    assert "models.by_role.judge" in str(failure.value)
    assert "tier local in the launchpad" in str(failure.value)


def test_the_local_tier_asks_nobody() -> None:
    with judges_of_set(SPEC, "local", Settings, None) as judges:
        assert judges is None


def test_the_launchpad_goes_before_the_data_set_and_that_before_the_settings() -> None:
    wants = DatasetSpec(name="shop", count=1, domain="retail", grading="network")
    settings = QualitySettings(grading_tier="openai")
    assert chosen_tier("local", wants, settings) == "local"
    assert chosen_tier(None, wants, settings) == "network"
    assert chosen_tier(None, SPEC, settings) == "openai"


def test_a_calibrated_judge_decides_and_the_local_grade_stands_beside_it(tmp_path: Path) -> None:
    second: list[SecondGrade] = []
    with scripted_judges(Settings()) as judges:
        kept = Calibrations(UPath(tmp_path / "calibrations"))
        assert calibration_of(judges, kept) is None
        kept.keep(calibration(grader="rehearsal", rubric_version=judge_rubric_version()))
        found = calibration_of(judges, kept)
        assert found is not None and found.is_calibrated
        answers = JudgeAnswers(UPath(tmp_path / "judged"))
        run = GradingRun(judges, found, samples=1, answers=answers, on_second=second.append)
        one, none = run.grade([(call_of("Hello.", "Hi, my parcel is late."), None), (call_of(id="empty"), None)])
    assert one.annotations.grade is not None and none.annotations.grade is not None
    assert (one.annotations.grade.tier, one.annotations.grade.grader) == ("network", "rehearsal")
    assert [(given.id, given.grade.tier) for given in second] == [("call", "local")]
    # What the judge cannot grade keeps its local grade and is counted.
    assert (none.annotations.grade.tier, dict(run.not_judged)) == ("local", {"no_words": 1})
    assert run.histogram["overall"].total() == 2
