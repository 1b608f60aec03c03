"""Specification files: read, checked, and refused with file, line and fix."""

import json

import pytest

from tip_assets.planning.domain_library import load_libraries
from tip_assets.planning.spec_files import load_spec_file
from tip_resources.domain.dataset_spec import Budget
from tip_resources.domain.failures import BadInput
from tip_resources.domain.seeds import seed_for

LIBRARIES = load_libraries()


def write(tmp_path, text: str | bytes, name: str = "october calls.yaml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(path):
    return load_spec_file(path, LIBRARIES)


def test_one_data_set_written_out(tmp_path):
    (spec,) = load(
        write(
            tmp_path,
            "name: denials\ncount: 40\ndomain: healthcare\nemotional_tone: angry\n"
            "scenario_templates: [insurance_denial]\nlanguage: es\nseed: 9\ncreated_at: 2026-11-01\n",
        )
    )
    assert (spec.name, spec.count, spec.domain, spec.emotional_tone) == ("denials", 40, "healthcare", "angry")
    assert (spec.scenario_templates, spec.language, spec.seed) == (("insurance_denial",), "es", 9)
    assert spec.created_at == "2026-11-01"


def test_name_and_seed_come_from_the_file_so_that_it_always_asks_for_the_same(tmp_path):
    path = write(tmp_path, "count: 40\ndomain: retail\n")
    (spec,) = load(path)
    assert spec.name == "october-calls"
    assert spec.seed == seed_for("october-calls")
    assert load(path) == [spec]


def test_a_list_of_data_sets_and_requests_in_plain_words(tmp_path):
    specs = load(
        write(
            tmp_path,
            "datasets:\n"
            "  - name: first\n    count: 5\n    domain: retail\n"
            "  - request: 200 healthcare calls with angry patients and 100 retail returns in Spanish\n"
            "    tier: local\n",
            "mixed.yml",
        )
    )
    assert [(s.name, s.count, s.domain) for s in specs] == [
        ("first", 5, "retail"),
        ("mixed-2-1", 200, "healthcare"),
        ("mixed-2-2", 100, "retail"),
    ]
    assert specs[1].tier == "local"
    assert specs[2].query.startswith("200 healthcare")


def test_json_is_read_alike(tmp_path):
    content = {"datasets": [{"name": "a", "count": 5, "domain": "retail", "query": "tab\tand \u00e9 \U0001f600"}]}
    (spec,) = load(write(tmp_path, json.dumps(content, indent="\t"), "a.json"))
    assert (spec.name, spec.count) == ("a", 5)
    assert spec.query.endswith("\u00e9 \U0001f600")


def test_imported_sets_need_no_known_domain(tmp_path):
    text = "name: calls\ncount: 3\ndomain: banking\nsource: import\nsource_keys: [calls.jsonl]\n"
    (spec,) = load(write(tmp_path, text))
    assert spec.source_keys == ("calls.jsonl",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"october calls\.yaml: is empty"),
        ("just words", "expected fields"),
        ("- count: 5", "expected fields"),
        ("datasets: []", ":1: datasets: is empty"),
        ("count: 5\ndomain: retail\ncuont: 6\n", r":3: cuont: is not a known field\. Did you mean count\?"),
        ("count: 5\ndomain: retail\ncount: 6\n", ":3: count: stands here for the second time"),
        ("domain: retail\n", "missing required field `count`"),
        ("domain: retail\ncount: 0\n", ":2: count: expected `int` >= 1"),
        ("domain: retail\ncount: -4\n", ":2: count: expected `int` >= 1"),
        ("domain: retail\ncount: many\n", ":2: count: expected `int`"),
        ("domain: retail\ncount: 2000000\n", ":2: count: expected `int` <= 1000000"),
        ("count: 5\ndomain: astronomy\n", r":2: domain: there is no domain 'astronomy'.*astronomy\.yaml"),
        ("count: 5\ndomain: retail\nemotional_tone: grumpy\n", ":3: emotional_tone: 'grumpy' is not a tone"),
        ("count: 5\ndomain: retail\nscenario_templates: [nope]\n", ":3: scenario_templates: .*no template 'nope'"),
        ("count: 5\ndomain: retail\nscenario_templates: nope\n", ":3: scenario_templates: expected a list"),
        ("count: 5\ndomain: retail\ncaller_type: robot\n", ":3: caller_type: 'robot' does not name a caller"),
        ("count: 5\ndomain: retail\nlanguage: klingon\n", ":3: language: 'klingon' is not a language"),
        ("count: 5\ndomain: retail\ncomplexity: hard\n", ":3: complexity: invalid enum value 'hard'"),
        ("count: 5\ndomain: retail\ncreated_at: soon\n", ":3: created_at: 'soon' is not a date"),
        ("count: 5\ndomain: retail\nseed: -1\n", ":3: seed: expected `int` >= 0"),
        ("count: 5\ndomain: retail\nname: ../../x\n", r":3: name: '\.\./\.\./x' cannot be a data set name"),
        ("count: 5\ndomain: retail\nname: con\n", ":3: name: 'con' is a device name"),
        ("request: minus five retail calls\n", ":1: request: cannot make minus five calls"),
        ("request: 5 retail calls\ncount: 6\n", ":2: count: cannot stand beside request"),
        ("count: 5\ndomain: [retail\n", "is not valid YAML"),
        ("count: 5\ndomain: {a: [}\n", "is not valid YAML"),
        ("a: &x 1\nb: *x\n", "anchors"),
        ("[" * 2000, "nested too deep"),
        ("count: 5\n---\ncount: 6\n", ":2: holds a second document"),
        (
            "datasets:\n  - {name: a, count: 1, domain: retail}\n  - {name: a, count: 2, domain: retail}\n",
            ":3: .*the data set 'a' was already asked for on line 2",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(tmp_path, text: str, message: str):
    with pytest.raises(BadInput, match=message):
        load(write(tmp_path, text))


def test_half_written_json_names_the_line(tmp_path):
    with pytest.raises(BadInput, match=r"a\.json:3: is not valid JSON"):
        load(write(tmp_path, '{\n "count": 5,\n "domain": "ret', "a.json"))


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"count: 5\n\xff\xfe\n", b"PK\x03\x04" + b"\x00" * 50])
def test_binary_files_are_refused(tmp_path, content: bytes):
    with pytest.raises(BadInput, match=r"october calls\.yaml"):
        load(write(tmp_path, content))


def test_huge_files_are_refused_without_being_read(tmp_path):
    with pytest.raises(BadInput, match="larger than 1,000,000 bytes"):
        load(write(tmp_path, b"#" * 2_000_000))


def test_missing_files_and_other_kinds_are_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        load(tmp_path / "nothing.yaml")
    with pytest.raises(BadInput, match="is not a spec file"):
        load(write(tmp_path, "count: 5", "a.toml"))


def test_a_budget_the_batch_api_and_a_priority_stand_in_the_file(tmp_path):
    specs = load(
        write(
            tmp_path,
            "datasets:\n"
            "  - name: first\n    count: 5\n    domain: retail\n    tier: openai\n    batch_api: true\n"
            "    budget: {max_tokens: 100000, max_cost: 1.5}\n"
            "  - request: 20 retail returns\n    budget:\n      max_minutes: 2\n    mode: two_agent\n"
            "    priority: high\n",
        )
    )
    assert specs[0].batch_api
    assert [spec.priority for spec in specs] == ["normal", "high"]
    assert specs[0].budget == Budget(max_tokens=100_000, max_cost=1.5)
    assert (specs[1].budget, specs[1].mode) == (Budget(max_minutes=2), "two_agent")


@pytest.mark.parametrize(
    ("fields", "line", "named"),
    [
        ("budget: {max_tokens: 0}", 3, "max_tokens|>= 1"),
        ("budget:\n  max_gold: 1", 3, "max_gold"),
        ("batch_api: true", 3, "tier openai"),
        ("batch_api: true\ntier: openai\nmode: two_agent", 3, "each turn waits"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused_with_its_line(tmp_path, fields, line, named):
    with pytest.raises(BadInput, match=named) as caught:
        load(write(tmp_path, f"count: 5\ndomain: retail\n{fields}\n"))
    assert f":{line}" in str(caught.value)
