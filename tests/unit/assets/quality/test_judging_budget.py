"""Judging counts against the set's budget, with what writing took and what earlier runs asked, and ends with words."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from tests.unit.assets.quality.conftest import call_of
from tests.unit.assets.quality.judge_server import VERDICT, judging_settings, serving
from tip_assets.generation.spending import SpendingReport
from tip_assets.quality.grading_run import GradingRun
from tip_assets.quality.judge_answers import JudgeAnswers
from tip_assets.quality.judged_calls import Judged, find_judges, judged_calls
from tip_assets.quality.judging_budget import BUDGET_SPENT, JudgingBudget
from tip_resources.domain.codec import to_builtins
from tip_resources.domain.dataset_spec import Budget
from tip_resources.domain.failures import BadInput
from tip_resources.llm.prices import Price, PriceList
from tip_resources.llm.types import Endpoint

CALLS = [call_of("Hello.", f"Call number {number}.") for number in range(12)]
TOKENS = 33  # of each answer of the scripted server


def written(tokens: int, cost: float | None = 0.0) -> list[dict[str, Any]]:
    """As raw_conversations records what its calls took."""
    report = SpendingReport(tokens_in=tokens, tokens_out=0, cost=cost, minutes=1.0, uncounted=0, by_endpoint={})
    return [to_builtins(report)]


def judged(
    says: str, budget: Budget, folder: Path, before: Sequence[dict[str, Any]] = ()
) -> tuple[list[Judged], JudgingBudget, int]:
    """The calls, what judging took, and how many questions reached the server."""
    answers = JudgeAnswers(UPath(folder / "answers"))
    with serving(says) as server:
        judges = find_judges("network", judging_settings(server.url), environ={})
        counted = JudgingBudget(budget, PriceList(), judges.endpoints, answers=answers, written=before)
        found = list(judged_calls(((call, None) for call in CALLS), judges, answers=answers, budget=counted))
        return found, counted, len(server.asked)


def test_a_spent_budget_ends_the_asking_and_every_other_call_says_why(tmp_path: Path) -> None:
    found, counted, asked = judged(json.dumps(VERDICT), Budget(max_tokens=9_000), tmp_path)
    left = [one for one in found if one.grade is None]
    assert len(found) == len(CALLS) and left and asked == len(CALLS) - len(left)
    assert {one.why_not_kind for one in left} == {BUDGET_SPENT}
    assert "stopped at the budget" in left[0].why_not and "of 9,000 tokens (--max-tokens)" in left[0].why_not
    assert counted.report().tokens == asked * TOKENS


def test_without_a_limit_all_is_asked_and_counted(tmp_path: Path) -> None:
    found, counted, asked = judged(json.dumps(VERDICT), Budget(), tmp_path)
    assert all(one.grade for one in found) and asked == len(CALLS)
    assert counted.report().tokens == asked * TOKENS and counted.report().cost == 0


def test_what_writing_took_counts_and_is_not_told_as_judging(tmp_path: Path) -> None:
    found, counted, asked = judged(json.dumps(VERDICT), Budget(max_tokens=50_000), tmp_path, written(49_990))
    assert asked == 0 and all(one.why_not_kind == BUDGET_SPENT for one in found)
    assert "49,990 of 50,000 tokens" in found[0].why_not and counted.report().tokens == 0


def test_a_later_run_counts_what_the_kept_answers_took_and_uses_them(tmp_path: Path) -> None:
    _, first, asked = judged(json.dumps(VERDICT), Budget(), tmp_path)
    found, again, more = judged(json.dumps(VERDICT), Budget(max_tokens=TOKENS), tmp_path)
    assert more == 0 and all(one.grade for one in found)
    assert again.report().tokens == first.report().tokens == asked * TOKENS


def test_answers_against_the_schema_are_paid_for_too(tmp_path: Path) -> None:
    found, counted, asked = judged(json.dumps({**VERDICT, "realism": 9}), Budget(), tmp_path)
    assert {one.why_not_kind for one in found} == {"invalid_output"} and asked == 3 * len(CALLS)
    assert counted.report().tokens == asked * TOKENS


def test_a_limit_on_cost_needs_the_price_of_the_judge_and_counts_both_kinds_of_work(tmp_path: Path) -> None:
    paid = Endpoint(name="paid", url="https://api.example.com/v1", model="judge-9", tier="openai")
    answers, budget = JudgeAnswers(UPath(tmp_path)), Budget(max_cost=1.0)
    with pytest.raises(BadInput, match="judge-9"):
        JudgingBudget(budget, PriceList(), [paid], answers=answers)
    prices = PriceList(models={"judge-9": Price(input=10.0, output=40.0)})
    assert JudgingBudget(budget, prices, [paid], answers=answers, written=written(5, 0.5)).stop_reason() is None
    spent = JudgingBudget(budget, prices, [paid], answers=answers, written=written(5, 0.99))
    assert spent.stop_reason() == "stopped at the budget: 0.99 of 1.00 USD (--max-cost)"


def test_a_run_of_grading_tells_why_it_stopped_and_keeps_the_local_grades(tmp_path: Path) -> None:
    answers = JudgeAnswers(UPath(tmp_path))
    with serving(json.dumps(VERDICT)) as server:
        judges = find_judges("network", judging_settings(server.url), environ={})
        counted = JudgingBudget(
            Budget(max_tokens=10), PriceList(), judges.endpoints, answers=answers, written=written(10)
        )
        run = GradingRun(judges, None, samples=1, answers=answers, on_second=lambda _: None, budget=counted)
        graded = list(run.grade((call, None) for call in CALLS))
        assert not server.asked
    assert run.not_judged == {BUDGET_SPENT: len(CALLS)} and "stopped at the budget" in run.stopped
    assert all(one.annotations.grade and one.annotations.grade.tier == "local" for one in graded)
