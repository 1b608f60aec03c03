"""graded_conversations: the local grade of every call, a judge's beside or before it, and how the grades stand.

What is done to a call is in grading_run.py; who judges in judge_choice.py. Assets with check specs have no return
annotation: Dagster would read it as the type of every output.
"""

import enum
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from tip_assets.catalogue import QUALITY
from tip_assets.generation.acceptance import scrubbed
from tip_assets.generation.assets import readable
from tip_assets.partitions import dataset_asset
from tip_assets.planning.assets import the_spec
from tip_assets.planning.plan_sets import read_plans, with_plans
from tip_assets.platform import Platform
from tip_assets.quality.calibration.result import Calibration, Calibrations, words_of
from tip_assets.quality.grading_plot import MOST_PAST_RUNS, PastGrading, grades_picture
from tip_assets.quality.grading_run import GradingRun, chosen_tier
from tip_assets.quality.judge_answers import JudgeAnswers
from tip_assets.quality.judge_choice import calibration_of, judges_of_set
from tip_assets.quality.judge_rubric import judge_rubric_version
from tip_assets.quality.judged_calls import Judges
from tip_assets.quality.judging_budget import JudgingBudget
from tip_assets.quality.screening import mean_grades, passing
from tip_assets.steps import counted_table, recorded_spending, spending_table
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.grade import Grade, SecondGrade
from tip_resources.launch.step_failures import clear_failures
from tip_resources.llm.prices import load_prices
from tip_resources.storage.sets import SetWriter, count_rows, read_set, write_set

# The side set of grades that do not decide: the judge's while it is not calibrated, else the local ones.
SECOND_GRADES = "second_grades"
# Metadata that the report reads: what judging took.
JUDGE_SPENDING = "judge_spending"


class GradingChoice(enum.Enum):
    """Who grades a run's calls, as the launchpad offers it. The values are the descriptions shown there."""

    settings = "What the data set asked for, else quality.grading_tier of the settings."
    local = "No model: measured features of the call's form. Free and quick; says nothing of truth."
    network = "A model of yours judges by the rubric (models.by_role.judge); waits for a machine that takes work."
    openai = "A paid API judges by the rubric. It sees redacted text; it costs one request a call and sample."


_GRADING_CONFIG = {
    "tier": dg.Field(
        dg.Enum(
            "GradingTier", [dg.EnumValue(one.name, python_value=one, description=one.value) for one in GradingChoice]
        ),
        default_value=GradingChoice.settings.name,
        description="Who grades. A judge's grade decides only once `tip judge calibrate` found it calibrated.",
    ),
    "samples": dg.Field(
        dg.Noneable(dg.IntSource),
        default_value=None,
        description="How often a judge is asked about each call; empty: quality.judge_samples.",
    ),
}


@dataset_asset(
    group_name=QUALITY,
    kinds={"parquet"},
    config_schema=_GRADING_CONFIG,
    # A judge that went away: its answers are kept, so trying again costs little.
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5),
    check_specs=[
        dg.AssetCheckSpec(
            "enough_pass",
            asset="graded_conversations",
            description="At least quality.expected_pass_rate (95 %) of the calls reach quality.minimum_score.",
        ),
        dg.AssetCheckSpec(
            "every_call_judged",
            asset="graded_conversations",
            description="Where a judge was asked, it graded every call; those it could not keep their local grade.",
        ),
    ],
)
def graded_conversations(
    context: dg.AssetExecutionContext,
    dataset_specs: pl.LazyFrame,
    deduped_conversations: pl.LazyFrame,
    scenarios: pl.LazyFrame,
    personas: pl.LazyFrame,
    platform: Platform,
):
    """Every distinct call with its grade: realism, coherence, naturalness, overall. Holds personal data."""
    spec, quality = the_spec(dataset_specs), platform.settings().quality
    config = context.op_execution_context.op_config
    choice = GradingChoice[config["tier"]] if isinstance(config["tier"], str) else config["tier"]
    tier = chosen_tier(None if choice is GradingChoice.settings else choice.name, spec, quality)
    planned = with_plans(read_set(deduped_conversations, Conversation), read_plans(scenarios, personas))
    layout = platform.layout()
    scratch = layout.scratch(context.run.run_id, "graded_conversations")
    second = SetWriter(SecondGrade, scratch / SECOND_GRADES)
    with clear_failures(), judges_of_set(spec, tier, platform.settings, platform.fleet_servers) as judges:
        calibration = None if judges is None else calibration_of(judges, Calibrations(layout.calibrations))
        answers = JudgeAnswers(layout.judged(spec.name))
        budget = None if judges is None else _budget(context, spec, platform, judges, answers)
        run = GradingRun(
            judges,
            calibration,
            samples=config["samples"] or quality.judge_samples,
            answers=answers,
            on_second=second.write,
            budget=budget,
        )
        frame = write_set(run.grade(planned), Conversation, scratch / "calls")
    platform.store_set(SECOND_GRADES, spec.name, second.finish(), scratch)
    total = count_rows(frame)
    passed = count_rows(frame.filter(passing(quality.minimum_score)))
    pass_rate = passed / total if total else 0.0
    means = mean_grades(frame)
    past = [*_past_gradings(context), PastGrading(overall=means["overall"], agreement=run.with_local.r)]
    return dg.MaterializeResult(
        value=frame,
        metadata={
            "passed": passed,
            "failed": total - passed,
            "sample": _sample(frame, read_plans(scenarios, personas)),
            "pass_rate": round(pass_rate, 4),
            **means,
            "tier": tier,
            "grades": dg.MetadataValue.md(grades_picture(run.histogram, past)),
            **_rounded(correlation_with_length=run.with_length.r),
            **(_judge_metadata(judges, calibration, run) if judges is not None else {}),
            **(_cost_metadata(budget) if budget is not None else {}),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="enough_pass",
                passed=pass_rate >= quality.expected_pass_rate,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"pass_rate": pass_rate, "minimum_score": quality.minimum_score},
            ),
            dg.AssetCheckResult(
                check_name="every_call_judged",
                passed=not run.not_judged,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "asked": "no judge was asked" if judges is None else f"{judges.model} about {total} calls",
                    "not_judged": dg.MetadataValue.json(dict(run.not_judged)),
                    **({"stopped": run.stopped} if run.stopped else {}),
                },
                description=run.stopped or None,
            ),
        ],
    )


def _sample(frame: pl.LazyFrame, plans: Iterable[CallPlan]) -> dg.MarkdownMetadataValue:
    """The first call, scrubbed, under its grade."""
    first = next(with_plans(read_set(frame.head(1), Conversation), plans), None)
    if first is None or first[0].annotations.grade is None:
        return dg.MetadataValue.md("(no call)")
    grade = first[0].annotations.grade
    said = f"**overall {grade.overall:.2f} of 5** by {grade.grader}"
    return dg.MetadataValue.md(f"{said}\n\n{readable(scrubbed(*first))}")


def _judge_metadata(judges: Judges, calibration: Calibration | None, run: GradingRun) -> dict[str, Any]:
    """What the judge did; figures that cannot be worked out are left out."""
    return {
        "judge": judges.model,
        "judge_calibration": words_of(calibration),
        "judge_decides": run.judge_decides,
        "judged": run.judged,
        "not_judged": counted_table("reason", "calls", run.not_judged),
        "answers_asked": run.asked,
        "rubric": judge_rubric_version(),
        **_rounded(
            judge_alpha=run.agreement.alpha,
            judge_samples_difference=run.agreement.mean_absolute_difference,
            judge_local_correlation=run.with_local.r,
        ),
    }


def _budget(
    context: dg.AssetExecutionContext, spec: DatasetSpec, platform: Platform, judges: Judges, answers: JudgeAnswers
) -> JudgingBudget:
    """What is left of the set's budget after its calls were written."""
    prices, written = load_prices(platform.folder), recorded_spending(context)
    return JudgingBudget(spec.budget, prices, judges.endpoints, answers=answers, written=written)


def _cost_metadata(budget: JudgingBudget) -> dict[str, Any]:
    spent = budget.report()
    return {
        "judge_tokens": spent.tokens,
        **({} if spent.cost is None else {"judge_cost": round(spent.cost, 6)}),
        JUDGE_SPENDING: spending_table([spent]),
    }


def _rounded(**figures: float | None) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items() if value is not None}


def _past_gradings(context: dg.AssetExecutionContext) -> list[PastGrading]:
    """What earlier materializations of any data set said, oldest first."""
    found = context.instance.fetch_materializations(context.asset_key, limit=MOST_PAST_RUNS).records
    past = []
    for record in reversed(found):
        metadata = record.asset_materialization.metadata if record.asset_materialization else {}
        overall, agreement = (metadata.get(name) for name in ("overall", "judge_local_correlation"))
        past.append(
            PastGrading(
                overall=overall.value if isinstance(overall, dg.FloatMetadataValue) else None,
                agreement=agreement.value if isinstance(agreement, dg.FloatMetadataValue) else None,
            )
        )
    return past


def keep_quality_scores(platform: Platform, dataset: str, delivered: pl.LazyFrame, scratch: Path) -> None:
    """Writes the grades of what is delivered, the deciding and the second ones, where queries across sets find them."""
    try:
        second = platform.open_set(SECOND_GRADES, dataset, scratch)
    except FileNotFoundError:
        second = None

    def grades() -> Iterator[tuple[str, Grade]]:
        for call in read_set(delivered, Conversation):
            if call.annotations.grade is not None:
                yield call.id, call.annotations.grade
        if second is not None:
            for one in read_set(second, SecondGrade):
                yield one.id, one.grade

    platform.quality_scores().replace_dataset(dataset, grades())
