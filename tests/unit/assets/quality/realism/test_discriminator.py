"""The discriminator tells apart what differs, cannot tell what does not, and is silent where there is too little."""

from functools import cache

import msgspec
import pytest

from tests.unit.assets.quality.realism.calls import call, stiff
from tip_assets.quality.realism.discriminator import LEAST_CALLS, Verdict, discriminate, wilson
from tip_assets.quality.realism.reference import Reference, built_in_reference
from tip_assets.quality.realism.set_metrics import metric_rows, telling_plot, telling_table
from tip_resources.domain.conversation import Conversation, Turn

REAL = built_in_reference().conversations


@cache
def verdict_on_stiff_calls() -> Verdict:
    return discriminate(stiff(REAL), REAL)


def test_calls_without_habits_are_told_apart_and_it_is_said_by_what() -> None:
    verdict = verdict_on_stiff_calls()
    assert verdict.accuracy is not None and verdict.accuracy > 0.9 and verdict.calls == 40
    assert verdict.low is not None and verdict.high is not None and verdict.low < verdict.accuracy <= verdict.high
    assert verdict.auc is not None and verdict.auc > 0.95
    found = {telling.name: telling for telling in verdict.telling}
    assert "our calls have fewer turns of up to three words" in found["short_turn_share"].text
    assert found["agent_turn_words"].ours > found["agent_turn_words"].reference
    assert [one.distance for one in verdict.telling] == sorted((one.distance for one in verdict.telling), reverse=True)


def test_two_halves_of_the_same_calls_cannot_be_told_apart() -> None:
    # Every second call, so that both halves have all domains alike.
    verdict = discriminate(REAL[::2], REAL[1::2])
    assert verdict.low is not None and verdict.high is not None and verdict.low < 0.5 < verdict.high


def test_a_copy_is_never_on_both_sides_of_a_split() -> None:
    # Each call of ours stands twice in the set and once in the reference: learning it by heart must not help.
    verdict = discriminate([*REAL[:20], *REAL[:20]], REAL[:20])
    assert verdict.accuracy is not None and verdict.accuracy < 0.7


@pytest.mark.parametrize("count", [0, 1, LEAST_CALLS - 1])
def test_too_few_calls_have_no_figure_and_a_reason(count: int) -> None:
    for verdict in (discriminate(REAL[:count], REAL), discriminate(REAL, REAL[:count])):
        assert verdict.accuracy is verdict.auc is verdict.style_distance is None
        assert f"{count} of" in verdict.reason and "too few" in verdict.reason


def test_empty_calls_and_calls_of_one_speaker_do_no_harm() -> None:
    empty = [Conversation(id=f"empty-{number}", turns=()) for number in range(30)]
    assert "0 of ours" in discriminate(empty, REAL).reason
    alone = [
        Conversation(id=f"{number}", turns=tuple(Turn(speaker="agent", text=f"word {n} of {number}") for n in range(5)))
        for number in range(25)
    ]
    assert (discriminate(alone, REAL).accuracy or 0) > 0.9


def test_copies_of_one_call_are_nothing_to_tell_apart() -> None:
    copies = [msgspec.structs.replace(call("a"), id=str(number)) for number in range(25)]
    verdict = discriminate(copies, REAL)
    assert verdict.accuracy is None and "copies" in verdict.reason


def test_the_same_calls_in_another_order_get_the_same_verdict() -> None:
    assert discriminate(stiff(REAL)[::-1], REAL) == verdict_on_stiff_calls()


def test_every_row_of_the_metrics_names_its_reference() -> None:
    reference = Reference(name="mine", is_built_in=False, conversations=REAL)
    rows = metric_rows(verdict_on_stiff_calls(), reference)
    figures = {row.name: row for row in rows if row.group == "discriminator"}
    assert figures["accuracy"].value == verdict_on_stiff_calls().accuracy
    assert all("mine" in row.detail for row in rows) and "0.5" in figures["accuracy"].goal
    assert any(row.group == "telling" and row.reference is not None for row in rows)
    assert telling_plot(verdict_on_stiff_calls()).startswith("![") and "|" in telling_table(verdict_on_stiff_calls())


def test_a_set_of_one_is_stored_with_the_reason_and_no_zero() -> None:
    reference = Reference(name="mine", is_built_in=False, conversations=REAL)
    rows = metric_rows(discriminate(REAL[:1], REAL), reference)
    assert rows and all(row.value is None and "too few" in row.detail for row in rows)
    assert "too few" in telling_plot(discriminate(REAL[:1], REAL))


def test_the_interval_of_a_share_is_wilsons() -> None:
    # 8 of 10: 0.490 to 0.943 (Newcombe 1998, table of worked examples by the formula).
    assert wilson(8, 10) == pytest.approx((0.490, 0.943), abs=0.001)
    assert wilson(0, 10)[0] == 0.0 and wilson(10, 10)[1] == 1.0
