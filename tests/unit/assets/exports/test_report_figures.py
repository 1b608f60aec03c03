"""Funnel, histograms and words of the report, and the summary made from it."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.assets.exports.test_report import page, report
from tip_assets.exports.distributions import count_distribution, grade_distributions
from tip_assets.exports.funnel import funnel
from tip_assets.exports.report_collect import collect_report
from tip_assets.exports.report_cost import recorded_cost
from tip_assets.exports.report_text import duration, in_short, size
from tip_assets.exports.summary import summary_of_report
from tip_assets.generation.spending import SpendingReport
from tip_resources.domain.codec import to_builtins
from tip_resources.domain.dataset_spec import DatasetSpec


@given(
    st.integers(0, 10_000),
    st.dictionaries(
        st.sampled_from(["duplicate", "low_grade", "too_short", "empty", "not_exportable"]), st.integers(0)
    ),
)
def test_every_step_of_the_funnel_is_the_step_before_less_its_losses(exported, losses):
    steps = funnel(50, exported, losses)
    assert steps[-1].count == exported
    for before, after in pairwise(steps[1:]):
        assert before.count == after.count + after.lost
    assert steps[1].count == exported + sum(losses.values())


@given(st.dictionaries(st.integers(0, 5_000), st.integers(1, 50), min_size=1))
def test_no_call_falls_out_of_a_histogram(counts):
    distribution = count_distribution("turns", Counter(counts))
    bins = list(distribution.bins)
    assert sum(column.count for column in bins) == distribution.count == sum(counts.values())
    assert len(bins) <= 18
    values = sorted(Counter(counts).elements())
    assert distribution.median in values
    assert distribution.low == values[0]
    assert bins[0].low <= values[0]
    assert values[-1] < bins[-1].high


def test_a_grade_on_an_edge_falls_into_the_bin_above_it():
    (distribution,) = grade_distributions({"overall": Counter({4.6: 1, 5.0: 1, 3.2: 1})})
    filled = {round(column.low, 2) for column in distribution.bins if column.count}
    assert filled == {3.2, 4.6, 4.9}


def test_grades_share_one_axis_that_reaches_down_to_the_worst():
    realism, overall = grade_distributions({"realism": Counter({1.4: 1}), "overall": Counter({4.5: 1})})
    assert realism.bins[0].low == overall.bins[0].low == 1
    assert realism.bins[-1].high == overall.bins[-1].high == pytest.approx(5)


def test_nothing_measured_is_not_zero():
    assert count_distribution("turns", Counter()).median is None
    assert grade_distributions({"overall": Counter()})[0].mean is None


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (12, "12"), (4.25, "4.25"), (9_999, "9,999"), (12_345, "12.3k"), (1_234_567, "1.23M"), (2e9, "2G")],
)
def test_large_numbers_are_shortened(value, words):
    assert in_short(value) == words


@pytest.mark.parametrize(("seconds", "words"), [(8.44, "8.4 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min")])
def test_durations_read_as_people_say_them(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(812, "812 bytes"), (10_400, "10.4 kB"), (3_200_000, "3.2 MB")])
def test_sizes_read_as_people_say_them(count, words):
    assert size(count) == words


def test_the_summary_says_the_same_as_the_report(make_call):
    spec = DatasetSpec(name="set-one", count=4, domain="healthcare")
    calls = ((make_call(i, origin={"scripted": True, "model": "rehearsal"}), None) for i in range(3))
    data = collect_report(
        spec, calls, losses={"duplicate": 2, "too_short": 1, "low_grade": 1}, run_id="run-1", warnings=["short"]
    )
    assert summary_of_report(data, delivered=4, seconds=12.345) == {
        "dataset": "set-one",
        "run_id": "run-1",
        "requested": 4,
        "delivered": 4,
        "rejected": 4,
        "duplicates_removed": 2,
        "passed": 3,
        "exported": 3,
        "turns": 12,
        "seconds": 12.35,
        "model": "rehearsal",
        "endpoint": "http://127.0.0.1:1234/v1",
        "scripted": True,
        "tokens_in": 900,
        "tokens_out": 4500,
        "median_overall": 4.5,
        "personal_data_replaced": 3,
        "told_apart": None,
        "cost_dollars": None,
        "warnings": ["short"],
    }


def test_the_cost_of_writing_and_of_judging_stand_side_by_side():
    wrote = [to_builtins(spent(1_000, 1.5)), to_builtins(spent(500, 0.25))]
    both = page(
        report([], cost=recorded_cost(wrote, []), judging=recorded_cost([to_builtins(spent(4_200, 0.5))]))
    ).words
    for expected in ("Cost of writing 1.75 USD", "Cost of judging 0.50 USD", "Tokens for judging 4,200"):
        assert expected in " ".join(both.split())
    alone = " ".join(page(report([], cost=recorded_cost(wrote, []))).words.split())
    assert "Cost 1.75 USD" in alone and "judging" not in alone
    unpriced = recorded_cost([to_builtins(spent(10, None))])
    assert unpriced is not None and unpriced.dollars is None and unpriced.machine_seconds is None


def spent(tokens: int, cost: float | None) -> SpendingReport:
    return SpendingReport(tokens_in=tokens, tokens_out=0, cost=cost, minutes=1.0, uncounted=0, by_endpoint={})
