"""Every domain value survives JSON and Parquet unchanged, whatever is in it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import conversation_from_json, from_json, to_json
from tip_resources.domain.conversation import Annotations, Conversation, Turn
from tip_resources.domain.dataset_spec import Budget, DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade
from tip_resources.domain.persona import Persona, PersonalFact, SpeechHabits
from tip_resources.domain.provenance import Provenance
from tip_resources.domain.redaction import PiiSpan
from tip_resources.domain.reject import Reject
from tip_resources.domain.scenario import Scenario
from tip_resources.storage.sets import read_set, write_set

# Lone surrogates are not text: no JSON or Parquet can hold them.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
INTEGER = st.integers(-(2**53) + 1, 2**53 - 1)
SCALAR = st.none() | st.booleans() | INTEGER | NUMBER | TEXT
TURN = st.builds(
    Turn,
    speaker=st.sampled_from(["agent", "customer", "system"]),
    text=TEXT,
    start_ms=st.none() | INTEGER,
    end_ms=st.none() | INTEGER,
)
GRADE = st.builds(
    Grade,
    realism=NUMBER,
    coherence=NUMBER,
    naturalness=NUMBER,
    overall=NUMBER,
    metrics=st.dictionaries(TEXT, NUMBER, max_size=3),
    tier=st.sampled_from(["local", "network", "openai"]),
    rationale=TEXT,
)
PROVENANCE = st.builds(
    Provenance,
    model=TEXT,
    endpoint=TEXT,
    node=TEXT,
    tier=st.sampled_from(["local", "network", "openai"]),
    prompt_template=TEXT,
    prompt_hash=TEXT,
    request_hash=TEXT,
    parameters=st.dictionaries(TEXT, SCALAR, max_size=3),
    seed=st.none() | INTEGER,
    tokens_out=st.none() | INTEGER,
    duration_ms=st.none() | NUMBER,
    scripted=st.booleans(),
)
SPAN = st.builds(
    PiiSpan, turn=INTEGER, start=INTEGER, end=INTEGER, type=TEXT, source=st.sampled_from(["persona", "pattern"])
)
EXTRA = st.dictionaries(TEXT, st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=2), max_leaves=4), max_size=2)
CONVERSATION = st.builds(
    Conversation,
    id=TEXT,
    turns=st.lists(TURN, max_size=4).map(tuple),
    dataset=TEXT,
    index=st.none() | INTEGER,
    persona_ids=st.lists(TEXT, max_size=2).map(tuple),
    provenance=st.none() | PROVENANCE,
    annotations=st.builds(
        Annotations,
        grade=st.none() | GRADE,
        spans=st.none() | st.lists(SPAN, max_size=2).map(tuple),
        extra=EXTRA,
    ),
)
SCENARIO = st.builds(
    Scenario,
    id=TEXT,
    index=INTEGER,
    domain=TEXT,
    template=TEXT,
    title=TEXT,
    intent_path=st.lists(TEXT, max_size=3).map(tuple),
    facts=st.dictionaries(TEXT, TEXT, max_size=3),
    complications=st.lists(TEXT, max_size=2).map(tuple),
    resolution=TEXT,
    difficulty=INTEGER,
)
PERSONA = st.builds(
    Persona,
    id=TEXT,
    index=INTEGER,
    role=st.sampled_from(["customer", "agent"]),
    name=TEXT,
    facts=st.lists(
        st.builds(PersonalFact, type=TEXT, value=TEXT, spoken=st.lists(TEXT, max_size=2).map(tuple)), max_size=2
    ).map(tuple),
    emotion_arc=st.lists(TEXT, max_size=3).map(tuple),
    patience=NUMBER,
    habits=st.builds(
        SpeechHabits,
        hesitation=NUMBER,
        fillers=st.lists(TEXT, max_size=2).map(tuple),
        spellings=st.dictionaries(TEXT, TEXT, max_size=2),
        code_switching=st.none() | TEXT,
    ),
)
SPEC = st.builds(
    DatasetSpec,
    name=st.from_regex(r"[a-z0-9][a-z0-9_-]{3,20}", fullmatch=True),
    count=st.integers(1, 1_000_000),
    domain=TEXT,
    query=TEXT,
    complexity=st.sampled_from(["simple", "complex"]),
    scenario_templates=st.lists(TEXT, max_size=2).map(tuple),
    model=st.none() | TEXT,
    tier=st.none() | st.sampled_from(["local", "network", "openai"]),
    seed=st.integers(0, 2**31 - 1),
)
REJECT = st.builds(
    Reject,
    dataset=TEXT,
    index=st.none() | INTEGER,
    reason=TEXT,
    detail=TEXT,
    raw_text=TEXT,
    provenance=st.none() | PROVENANCE,
)
KINDS: list[tuple[type[msgspec.Struct], st.SearchStrategy[Any]]] = [
    (Conversation, CONVERSATION),
    (Scenario, SCENARIO),
    (Persona, PERSONA),
    (DatasetSpec, SPEC),
    (Reject, REJECT),
    (CallPlan, st.builds(CallPlan, index=INTEGER, scenario=SCENARIO, customer=PERSONA, agent=PERSONA)),
]


@pytest.mark.parametrize(("kind", "values"), KINDS, ids=lambda item: getattr(item, "__name__", None))
def test_every_value_survives_json(kind: type[msgspec.Struct], values: st.SearchStrategy[Any]) -> None:
    @given(values)
    def survives(value: Any) -> None:
        data = to_json(value)
        assert b"\n" not in data
        assert from_json(data, kind) == value
        assert to_json(from_json(data, kind)) == data

    survives()


@pytest.mark.parametrize(("kind", "values"), KINDS, ids=lambda item: getattr(item, "__name__", None))
def test_every_value_survives_parquet(
    kind: type[msgspec.Struct], values: st.SearchStrategy[Any], tmp_path: Path
) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(values, max_size=4))
    def survives(rows: list[Any]) -> None:
        frame = write_set(rows, kind, tmp_path / "scratch")
        file = tmp_path / "set.parquet"
        frame.sink_parquet(file)
        assert list(read_set(frame, kind)) == rows

    survives()


@given(CONVERSATION, st.dictionaries(TEXT.filter(lambda key: key not in Conversation.__struct_fields__), SCALAR))
def test_unknown_fields_of_a_line_are_kept(conversation: Conversation, unknown: dict[str, Any]) -> None:
    line = json.dumps({**json.loads(to_json(conversation)), **unknown})
    read = conversation_from_json(line)
    assert read.turns == conversation.turns
    kept = {**unknown, **conversation.annotations.extra}
    assert read.annotations.extra == kept


def test_the_smallest_line_is_enough() -> None:
    read = conversation_from_json('{"id": "a", "turns": [{"speaker": "agent", "text": "hello"}]}')
    assert read == Conversation(id="a", turns=(Turn(speaker="agent", text="hello"),))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "not valid JSON"),
        ("[]", "expected a JSON object"),
        ('{"id": "a"}', "turns"),
        ('{"id": "a", "turns": [{"speaker": "robot", "text": ""}]}', "$.turns[0].speaker"),
        ('{"id": "a", "turns": [], "annotations": 3}', "annotations must be"),
        ('{"id": "a", "turns": [], "annotations": {"extra": 3}, "more": 1}', "annotations.extra"),
        ('{"id": "a", "turns": [{"speaker": "agent", "te', "not valid JSON"),
    ],
)
def test_a_line_that_cannot_be_used_says_where(line: str, said: str) -> None:
    with pytest.raises(BadInput, match="line 7") as error:
        conversation_from_json(line, where="line 7")
    assert said in str(error.value)


def test_fields_that_came_or_went_since_a_set_was_stored_do_no_harm(tmp_path: Path) -> None:
    spec = DatasetSpec(name="a", count=3, domain="retail", budget=Budget(max_cost=5.0))
    call = Conversation(id="1", turns=(Turn(speaker="agent", text="Hello."),), annotations=Annotations(extra={"a": 1}))
    specs = write_set([spec], DatasetSpec, tmp_path / "specs").with_columns(
        gone=pl.lit(1), budget=pl.col("budget").struct.with_fields(gone=pl.lit(2))
    )
    calls = write_set([call], Conversation, tmp_path / "calls").with_columns(
        annotations=pl.col("annotations").struct.with_fields(gone=pl.lit("x")),
        turns=pl.col("turns").list.eval(pl.element().struct.with_fields(gone=pl.lit(3))),
    )
    assert list(read_set(specs.drop("priority"), DatasetSpec)) == [spec]
    assert list(read_set(calls.drop("provenance"), Conversation)) == [call]
