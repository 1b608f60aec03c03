"""The report tells the truth in every situation and lets nothing hostile or personal through."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tip_assets.exports.manifest import ExportSummary
from tip_assets.exports.report import render_report
from tip_assets.exports.report_collect import collect_report
from tip_assets.exports.report_sections import SCRIPTED_BANNER
from tip_resources.domain.conversation import Turn
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.scenario import Scenario

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Checks that tags nest, and gathers elements, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(html)
        assert self.open_tags == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag

    def handle_data(self, data):
        if self.open_tags[-1:] != ["style"]:
            self.words += data + " "


def spec(**changes) -> DatasetSpec:
    fields = {
        "name": "healthcare-1",
        "count": 3,
        "domain": "healthcare",
        "query": "Generate 3 healthcare transcripts with frustrated callers",
        "emotional_tone": "frustrated",
        "seed": 5,
        **changes,
    }
    return DatasetSpec(**fields)


def scenario(index: int = 0, **changes) -> Scenario:
    fields = {
        "id": f"s-{index}",
        "index": index,
        "domain": "healthcare",
        "template": "claim_denial",
        "title": "A claim was refused",
        "intent_path": (),
        "facts": {},
        "complications": ("repeat_call",),
        "resolution": "appeal_filed",
        "difficulty": 2,
        **changes,
    }
    return Scenario(**fields)


def report(calls, asked=None, losses=None, **changes):
    return collect_report(asked or spec(), calls, losses=losses or {}, generated_at=NOW, run_id="run-9", **changes)


def page(data) -> Page:
    return Page(render_report(data))


def test_the_page_says_what_was_asked_delivered_and_with_which_recipe(make_call):
    data = report(((make_call(i), scenario(i)) for i in range(3)), seconds=200.0)
    words = page(data).words
    for expected in (
        "Generate 3 healthcare transcripts with frustrated callers",
        "3 calls asked,",
        "3 delivered",
        "qwen2.5-14b",
        "http://127.0.0.1:1234/v1",
        "desk",
        "temperature 0.8",
        "9c1d",
        "run-9",
        "3 min 20 s",
        "4,500",
        "claim denial",
        "appeal filed",
        "A claim was refused",
        "2026-11-21 02:30 UTC",
    ):
        assert expected in words
    assert SCRIPTED_BANNER not in words


def test_the_page_is_one_file_without_scripts_or_network(make_call):
    html = render_report(report([(make_call(), scenario())]))
    tags = Page(html)
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(tags.tags)
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name in ("src", "href")]
    assert "url(" not in html
    assert "@import" not in html
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in tags.attributes


def test_hostile_text_from_a_model_stays_text(make_call):
    bomb = "</p></details><script>alert(1)</script><img src=x onerror=alert(1)> \u202eevil \x00 ${query} $title &amp;"
    call = make_call(
        id=f"id-{bomb}",
        turns=(Turn(speaker="customer", text=bomb),),
        spans=(),
        origin={"model": bomb, "endpoint": bomb, "node": bomb, "prompt_template": bomb, "parameters": {bomb: bomb}},
    )
    told = scenario(title=bomb, template=bomb, complications=(bomb,), resolution=bomb)
    data = report([(call, told)], asked=spec(query=bomb, requested_by=bomb), losses={bomb: 2}, warnings=[bomb])
    html = render_report(data)
    tags = Page(html)
    assert not {"script", "img"} & set(tags.tags)
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert "\u202e" not in html
    assert "\x00" not in html
    assert "<script>alert(1)</script>" in tags.words


def test_lone_surrogates_do_not_break_the_page(make_call):
    data = report([(make_call(turns=(Turn(speaker="agent", text="half \ud83d"),), spans=()), None)])
    render_report(data).encode("utf-8")


def test_personal_data_is_counted_but_never_shown(make_call):
    data = report([(make_call(i), scenario(i)) for i in range(3)])
    html = render_report(data)
    assert "Schmidt" not in html
    assert "<mark>NAME</mark>" in html
    assert [(count.name, count.count) for count in data.personal_data] == [("NAME", 3)]
    assert data.calls_with_personal_data == 3


def test_a_call_that_was_never_scrubbed_cannot_be_reported(make_call):
    with pytest.raises(BadInput, match="never scrubbed"):
        report([(make_call(spans=None), None)])


def test_scripted_calls_are_announced_at_the_top(make_call):
    calls = [(make_call(i, origin={"scripted": True, "model": "rehearsal"}), scenario(i)) for i in range(3)]
    words = page(report(calls)).words
    assert words.index(SCRIPTED_BANNER) < words.index("healthcare-1", words.index("Data set report"))
    assert "scripted server, 3 calls" in words


def test_a_partly_scripted_set_says_how_many(make_call):
    calls = [(make_call(0, origin={"scripted": True}), None), (make_call(1), None)]
    assert "1 of 2 calls were written by the scripted rehearsal server." in page(report(calls)).words


def test_the_funnel_shows_every_loss_with_its_reason(make_call):
    losses = {"too_short": 4, "duplicate": 2, "low_grade": 1, "unscrubbable": 1}
    data = report([(make_call(i), None) for i in range(3)], losses=losses)
    assert [(step.name, step.count, step.lost) for step in data.funnel] == [
        ("asked", 3, 0),
        ("written", 11, 0),
        ("valid", 7, 4),
        ("distinct", 5, 2),
        ("passed", 3, 2),
        ("exported", 3, 0),
    ]
    words = page(data).words
    assert "8 more than asked" in words
    assert "personal data could not be replaced" in words


def test_a_short_set_says_by_how_many(make_call):
    words = page(report([(make_call(), None)], asked=spec(count=5), losses={"duplicate": 1})).words
    assert re.search(r"5 calls asked,\s+1 delivered\s*, 4 short", words)
    assert "What fell out, and could not all be replaced: repeats another call (1)." in words
    assert "3 fewer than asked" in words


def test_calls_that_reached_no_file_are_a_loss_of_the_last_step(make_call):
    lex = ExportSummary(format="lex", directory=Path("x"), files=2, conversations=2, turns=8, bytes=2048, left_out=1)
    data = report([(make_call(i), None) for i in range(3)], exports=[lex])
    assert data.exported == 2
    assert data.funnel[-1].losses[0].name == "not_exportable"
    assert "2.0 kB" in page(data).words


def test_an_empty_set_still_makes_a_page():
    words = page(report([], losses={"too_short": 3}, domain_templates=("claim_denial",))).words
    for expected in ("0 delivered", "no grades", "There is no call to show.", "no provenance", "0 of 1 used"):
        assert expected in words


def test_a_single_call_makes_a_page(make_call):
    words = page(report([(make_call(), scenario())], asked=spec(count=1))).words
    assert "1 call asked," in words
    assert "one call" in words


def test_a_set_without_scenarios_grades_or_provenance_makes_a_page(make_call):
    import msgspec

    call = make_call(provenance=None)
    call = msgspec.structs.replace(call, annotations=msgspec.structs.replace(call.annotations, grade=None))
    words = page(report([(call, None)])).words
    assert "Not known for this set." in words
    assert "not reported" in words


def test_templates_without_a_call_are_shown_as_nothing(make_call):
    data = report([(make_call(), scenario())], domain_templates=("claim_denial", "find_provider"))
    assert [(count.name, count.count) for count in data.templates] == [("claim_denial", 1), ("find_provider", 0)]
    assert "1 of 2 used" in page(data).words


def test_the_calls_to_read_are_the_best_the_worst_and_a_fixed_draw(make_call):
    grades = {7: 4.9, 31: 3.1}

    def calls():
        for i in range(60):
            yield make_call(i, overall=grades.get(i, 4.5)), scenario(i)

    data, again = report(calls()), report(calls())
    assert data.samples == again.samples
    assert data.samples != report(calls(), asked=spec(seed=6)).samples
    assert len(data.samples) == 10
    best, worst = data.samples[:2]
    assert (best.why, best.overall) == ("Highest grade", 4.9)
    assert (worst.why, worst.overall) == ("Lowest grade", 3.1)
    assert len({sample.id for sample in data.samples}) == len(data.samples)


def test_ten_calls_are_shown_also_where_the_draw_holds_the_best_and_the_worst(make_call):
    calls = ((make_call(i, overall=4.0 + i / 100), scenario(i)) for i in range(10))
    assert len(report(calls).samples) == 10


def test_calls_that_differ_in_the_size_of_their_batch_alone_are_one_recipe(make_call):
    def calls():
        for i in range(3):
            parameters = {"batch_size": i + 1, "max_output_tokens": 3_200 * (i + 1), "temperature": 0.8, "stop": None}
            yield make_call(i, origin={"parameters": parameters}), scenario(i)
        yield make_call(3, origin={"model": "phi-4"}), scenario(3)

    first, second = report(calls()).recipes
    assert (first.calls, second.calls, second.model) == (3, 1, "phi-4")
    assert first.parameters == "batch size 1 to 3, max output tokens 3,200 to 9,600, stop None, temperature 0.8"


def test_one_is_not_said_as_many_and_none_is_not_said_as_some(make_call):
    words = page(report([(make_call(), scenario())], asked=spec(count=1), losses={"low_grade": 1})).words
    assert "1 call below that left out or written anew." in words
    assert re.search(r"1\s+call above the bar", words)
    assert "No call was held back" in words
    assert "Every one" not in page(report([], losses={"too_short": 3})).words


def test_what_is_past_the_longest_bars_has_none(make_call):
    html = render_report(report((make_call(i), scenario(i, resolution=f"r{i}")) for i in range(30)))
    assert '<li class="rest"><span>16 others together</span><b>16</b></li>' in html


def test_endless_calls_are_cut_and_say_so(make_call):
    turns = tuple(Turn(speaker="agent", text="word " * 1000) for _ in range(300))
    data = report([(make_call(turns=turns, spans=()), None)])
    html = render_report(data)
    assert "180 more turns are in the export." in html
    assert len(html) < 300_000


def test_names_without_end_do_not_grow_the_counters(make_call):
    calls = ((make_call(i), scenario(i, template=f"t{i}")) for i in range(1_500))
    data = report(calls)
    assert len(data.templates) == 1_001
    assert sum(count.count for count in data.templates) == 1_500
    assert "others" in page(data).words
