"""Coverage: what was planned and never came, and what the calls took over of their plans."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tip_assets.quality.metrics.coverage import counted_coverage, read_coverage
from tip_assets.quality.metrics.intents import IntentReader, intent_reach
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.persona import Persona
from tip_resources.domain.scenario import Scenario
from tip_resources.domain.set_metric import SetMetric
from tip_resources.storage.sets import write_set

STEPS = {
    "issue_refund": "The agent refunds the amount and says when the bank will show it.",
    "trace_package": "The agent reads the carrier's last scans aloud.",
}


def scenario(index: int, template: str, *complications: str, path: tuple[str, ...] = ()) -> Scenario:
    return Scenario(
        id=f"s{index}",
        index=index,
        domain="retail",
        template=template,
        title=template,
        intent_path=path,
        facts={"order_number": "48213", "product": "floor lamp"},
        complications=complications,
        resolution="refund_issued",
        difficulty=1 + index % 2,
    )


def people(index: int, mood: str) -> tuple[Persona, Persona]:
    return (
        Persona(id=f"c{index}", index=index, role="customer", name="Ada", emotion_arc=(mood, "calm")),
        Persona(id=f"a{index}", index=index, role="agent", name="Bob"),
    )


def call(index: int | None, *texts: str) -> Conversation:
    turns = tuple(Turn(speaker=("agent", "customer")[place % 2], text=text) for place, text in enumerate(texts))
    return Conversation(id=str(index), index=index, turns=turns, domain="retail")


def planned(index: int) -> CallPlan:
    customer, agent = people(index, "sad")
    return CallPlan(index=index, scenario=scenario(index, "return"), customer=customer, agent=agent)


def by_name(rows: Sequence[SetMetric]) -> dict[str, SetMetric]:
    return {row.name: row for row in rows}


def counted(tmp_path: Path, delivered: Sequence[int | None]) -> dict[str, SetMetric]:
    plan = [scenario(0, "return"), scenario(1, "return", "no_receipt"), scenario(2, "late"), scenario(3, "late")]
    moods = enumerate(("angry", "angry", "sad", "calm"))
    personas = [person for index, mood in moods for person in people(index, mood)]
    scenarios = write_set(plan, Scenario, tmp_path / "scenarios")
    people_set = write_set(personas, Persona, tmp_path / "personas")
    calls = write_set([call(index, "Hello.") for index in delivered], Conversation, tmp_path / "calls")
    return by_name(counted_coverage(scenarios, people_set, calls, ("return", "late", "warranty")))


def test_everything_delivered_covers_everything(tmp_path: Path) -> None:
    rows = counted(tmp_path, [0, 1, 2, 3])
    for name in ("plans_delivered", "templates_covered", "complications_covered", "tones_covered"):
        assert rows[name].value == 1, name
    assert rows["templates_covered"].distance == 0
    assert rows["domain_templates_planned"].value == 2 / 3 and "warranty" in rows["domain_templates_planned"].detail


def test_what_never_came_is_named(tmp_path: Path) -> None:
    rows = counted(tmp_path, [0, 2, None])
    assert rows["plans_delivered"].value == 0.5
    assert rows["complications_covered"].value == 0.5 and "no_receipt" in rows["complications_covered"].detail
    assert rows["complications_covered"].distance == 0.25
    assert rows["tones_covered"].value == 2 / 3 and "calm > calm" in rows["tones_covered"].detail
    assert rows["difficulties_covered"].value == 0.5


def test_a_set_with_nothing_left_covers_nothing_and_says_why(tmp_path: Path) -> None:
    rows = counted(tmp_path, [])
    assert rows["plans_delivered"].value == 0
    assert rows["templates_covered"].value is None and "no call was delivered" in rows["templates_covered"].detail


def test_facts_said_and_never_said_are_told_apart() -> None:
    said = call(0, "Your order 48213 is on its way.", "Good.", "Anything else?", "No.", "Bye.", "Bye.")
    silent = call(1, "Hello, how can I help?", "Hi.")
    plans = [planned(index) for index in (0, 1)]
    rows = by_name(read_coverage(list(zip((said, silent), plans, strict=True)), {}, "all 2 calls"))
    assert rows["facts_used"].value == 0.25
    assert rows["slots_said"].value == 0.5 and "product 0%" in rows["slots_said"].detail
    assert rows["intents_recognised"].value is None and rows["intents_recognised"].detail


def test_steps_are_found_by_the_words_of_their_description() -> None:
    from tip_assets.quality.features.measured_call import MeasuredCall

    reader = IntentReader(STEPS)
    refunded = MeasuredCall(call(0, "I have refunded the amount.", "When will the bank show it?"))
    assert reader.found_in(refunded) == {"issue_refund"}
    assert reader.found_in(MeasuredCall(call(1, "Good morning."))) == frozenset()


def test_steps_that_other_calls_say_as_well_are_left_out() -> None:
    told, everywhere = frozenset({"told", "everywhere"}), frozenset({"everywhere"})
    calls = [(told, ("told", "everywhere"))] * 6 + [(everywhere, ("told",))] * 4 + [(everywhere, ())] * 20
    reach = intent_reach(calls)
    assert (reach.planned, reach.reached) == (10, 6)
    assert reach.by_step == {"told": 0.6} and reach.not_told == ("everywhere",)


def test_coverage_reads_frames_without_any_plan(tmp_path: Path) -> None:
    scenarios, personas = (write_set([], kind, tmp_path / kind.__name__) for kind in (Scenario, Persona))
    calls = write_set([call(None, "Hello.")], Conversation, tmp_path / "calls")
    rows = counted_coverage(scenarios, personas, calls)
    assert all(row.value is None and row.detail for row in rows)
    assert isinstance(calls, pl.LazyFrame)
