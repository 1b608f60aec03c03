"""Duplicates in the report: all are counted, pairs are shown side by side, and never with a personal fact."""

import json

import pytest

from tests.unit.assets.exports.test_report import page, report
from tip_assets.exports import report_pairs
from tip_assets.exports.pair_texts import PairTexts
from tip_assets.exports.report import render_report
from tip_assets.exports.report_pairs import PAIRS_SHOWN, KnownCall, duplicate_findings, turns_of
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.pii.styles import STYLES
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.persona import Persona, PersonalFact
from tip_resources.domain.redaction import RedactionStyle
from tip_resources.domain.reject import Reject
from tip_resources.domain.scenario import Scenario
from tip_resources.storage.layout import Layout
from tip_resources.storage.sets import write_set

FACTS = (PersonalFact(type="NAME", value="Rosalind Achterberg"),)


def call(id_: str, *texts: str, index: int = 0) -> Conversation:
    speakers = ("agent", "customer")
    turns = tuple(Turn(speaker=speakers[place % 2], text=text) for place, text in enumerate(texts))
    return Conversation(id=id_, index=index, turns=turns)


KEPT = call("kept", "How can I help you today?", "It's Rosalind Achterberg, my bill is wrong.")


def refused(*texts: str, detail: str = "near duplicate of kept, similarity 0.87") -> Reject:
    turns = [{"speaker": turn.speaker, "text": turn.text} for turn in call("", *texts).turns]
    return Reject(dataset="x", index=0, reason="duplicate", detail=detail, raw_text=json.dumps({"turns": turns}))


def findings(rejects=(), removed=(), calls=(KEPT,), style: RedactionStyle = "type_tag", dataset=""):
    texts = {(dataset if call is KEPT else "", call.id): KnownCall(call, FACTS) for call in calls}
    return duplicate_findings(
        rejects,
        removed,
        facts_of=lambda index: FACTS,
        calls_of=lambda dataset, ids: {id_: texts[dataset, id_] for id_ in ids if (dataset, id_) in texts},
        style=style,
    )


def test_a_refused_call_stands_beside_the_one_it_repeats():
    found = findings([refused("How can I help you?", "Rosalind Achterberg here, my bill is wrong.")])
    assert [(count.name, count.count) for count in found.by_method] == [("near", 1)]
    (pair,) = found.pairs
    assert (pair.method, pair.similarity, pair.kept_id) == ("near", 0.87, "kept")
    assert pair.removed[1].text == "[NAME] here, my bill is wrong."
    assert "Achterberg" not in str(found)


def test_a_call_removed_afterwards_is_found_by_its_id():
    gone = call("gone", "How can I help you today?", "My bill is wrong, I think.", index=1)
    found = findings(
        removed=[RemovedCall(id="gone", duplicate_of="kept", method="masked", similarity=0.9)], calls=(KEPT, gone)
    )
    assert [pair.method for pair in found.pairs] == ["masked"]


@pytest.mark.parametrize("style", STYLES)
def test_people_are_shown_tags_whatever_style_the_exports_have(style):
    (pair,) = findings(
        [refused("How can I help you?", "Rosalind Achterberg here, my bill is wrong.")], style=style
    ).pairs
    assert pair.removed[1].text in ("[NAME] here, my bill is wrong.", "[PII] here, my bill is wrong.")


def test_a_call_that_another_set_delivered_is_shown_with_the_name_of_the_set():
    detail = "near duplicate of kept of last-week, similarity 0.87"
    found = findings([refused("How can I help you?", "My bill is wrong.", detail=detail)], dataset="last-week")
    assert [pair.kept_in for pair in found.pairs] == ["last-week"]
    assert "Delivered before, in last-week" in page(report([], duplicates=found)).words


def test_a_call_that_is_not_there_any_more_is_counted_but_cannot_be_shown():
    found = findings(
        removed=[RemovedCall(id="a", duplicate_of="b", dataset_of="last-week", method="exact", similarity=1.0)]
    )
    assert [count.count for count in found.by_method] == [1]
    assert found.pairs == ()


def test_a_pair_in_which_the_check_finds_a_fact_is_not_shown(monkeypatch):
    monkeypatch.setattr(report_pairs, "leaked_facts", lambda redacted, facts: ("NAME",))
    found = findings([refused("How can I help you?", "My bill is wrong.")])
    assert (found.by_method[0].count, found.pairs) == (1, ())


def test_rejects_without_readable_text_are_only_counted():
    detail = "exact duplicate of kept, similarity 1.00"
    unreadable = Reject(dataset="x", index=0, reason="duplicate", detail=detail, raw_text='{"turns": 5}')
    other = Reject(dataset="x", index=0, reason="too_short", detail="2 turns", raw_text="")
    found = findings([unreadable, other])
    assert [(count.name, count.count) for count in found.by_method] == [("exact", 1)]
    assert found.pairs == ()


def test_many_duplicates_give_a_few_pairs():
    rejects = [
        refused("How can I help?", "My bill is wrong.", detail=f"{method} duplicate of kept, similarity 0.9")
        for method in ("exact", "near", "masked", "semantic")
        for _ in range(50)
    ]
    found = findings(rejects)
    assert sum(count.count for count in found.by_method) == 200
    assert len(found.pairs) == PAIRS_SHOWN


def test_turns_are_read_from_lines_as_well():
    assert turns_of("agent: Hello.\ncustomer: Hi: there.") == (
        Turn(speaker="agent", text="Hello."),
        Turn(speaker="customer", text="Hi: there."),
    )
    assert turns_of("no lines of a call") == ()


def test_the_page_marks_the_words_that_differ():
    found = findings([refused("How can I help you today?", "My invoice is wrong.")])
    html = render_report(report([], duplicates=found))
    assert "My <ins>invoice</ins> is wrong." in html
    shown = page(report([], duplicates=found))
    assert "nearly the same words" in shown.words.lower()


def test_hostile_text_in_a_duplicate_stays_text():
    found = findings([refused("How can I help you today?", "My <script>alert(1)</script> bill & co is wrong.")])
    shown = page(report([], duplicates=found))
    assert "script" not in shown.tags


def test_texts_come_from_the_set_itself_and_from_what_another_delivered(tmp_path):
    layout = Layout(str(tmp_path / "data"), tmp_path)

    def stored(asset, dataset, rows, kind):
        file = layout.set_file(asset, dataset)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_set(rows, kind, tmp_path / "scratch" / dataset / asset).sink_parquet(str(file))

    people = [
        Persona(id=f"p-{role}", index=0, role=role, name="Rosalind Achterberg", facts=FACTS)
        for role in ("customer", "agent")
    ]
    plan = Scenario(
        id="s", index=0, domain="retail", template="t", title="T", intent_path=(), facts={}, complications=(),
        resolution="done", difficulty=1,
    )  # fmt: skip
    stored("scenarios", "last-week", [plan], Scenario)
    stored("personas", "last-week", people, Persona)
    stored("scrubbed_conversations", "last-week", [KEPT], Conversation)
    stored("raw_conversations", "this-week", [call("gone", "Hello.")], Conversation)
    texts = PairTexts(layout, "this-week", tmp_path / "copies")
    (known,) = texts.calls("last-week", ["kept", "another"]).values()
    assert (known.conversation.id, {fact.value for fact in known.facts}) == ("kept", {"Rosalind Achterberg"})
    assert [known.conversation.id for known in texts.calls("", ["gone"]).values()] == ["gone"]
    assert texts.calls("deleted", ["kept"]) == {}
