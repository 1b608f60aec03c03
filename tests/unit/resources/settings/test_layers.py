from pathlib import Path

import pytest

from tip_resources.domain.failures import BadInput
from tip_resources.settings.layers import Resolved, load_settings, read_layers, resolve
from tip_resources.settings.models import Settings
from tip_resources.settings.stored_value import StoredValue

REPOSITORY = Path(__file__).parents[4]


def write(home: Path, name: str, text: str) -> None:
    file = home / "config" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def layered(home: Path, stored: dict | None = None, node: str = "this", **environ: str) -> Resolved:
    rows = [StoredValue(key, value, None, number) for number, (key, value) in enumerate((stored or {}).items(), 1)]
    return resolve(home, node, rows, environ)


def test_with_nothing_given_the_defaults_count(tmp_path: Path):
    assert load_settings(tmp_path, use_database=False, environ={}) == Settings()


def test_each_layer_goes_over_the_ones_below(tmp_path: Path):
    key, variable = "quality.minimum_score", "TIP_QUALITY__MINIMUM_SCORE"
    given: dict = {"stored": {key: 0.99}, variable: "0.98"}

    def seen() -> tuple[object, str]:
        origin = layered(tmp_path, **given).origin(key)
        return origin.value, origin.where

    write(tmp_path, "default.yaml", "environment: production\nnode: {profile: pi}\nquality:\n  minimum_score: 0.94")
    write(tmp_path, "production.yaml", "quality: {minimum_score: 0.95}")
    write(tmp_path, "node_profiles/pi.yaml", "quality: {minimum_score: 0.96}")
    write(tmp_path, "hosts/this.yaml", "quality: {minimum_score: 0.97}")
    assert seen() == (0.99, "database version 1")
    del given["stored"]
    assert seen() == (0.98, f"environment variable {variable}")
    del given[variable]
    for file, value, line in [
        ("hosts/this.yaml", 0.97, 1),
        ("node_profiles/pi.yaml", 0.96, 1),
        ("production.yaml", 0.95, 1),
        ("default.yaml", 0.94, 4),
    ]:
        assert seen() == (value, f"config/{file} line {line}")
        (tmp_path / "config" / file).unlink()
        if file == "node_profiles/pi.yaml":
            write(tmp_path, file, "")
    assert seen() == (0.85, "default")


def test_a_nodes_own_value_goes_over_the_one_for_all_even_when_older(tmp_path: Path):
    rows = [
        StoredValue("generation.concurrency.high", 3, "pi-3", 1),
        StoredValue("generation.concurrency.high", 5, None, 2),
    ]
    assert resolve(tmp_path, "pi-3", rows, {}).settings.generation.concurrency.high == 3
    assert resolve(tmp_path, "other", rows, {}).settings.generation.concurrency.high == 5
    origin = resolve(tmp_path, "pi-3", rows, {}).origin("generation.concurrency.high")
    assert origin.where == "database version 1 for node pi-3"


def test_profile_and_environment_may_be_chosen_in_any_layer(tmp_path: Path):
    write(tmp_path, "node_profiles/pi.yaml", "node: {step_slots: 1}")
    write(tmp_path, "node_profiles/master.yaml", "node: {step_slots: 4}")
    write(tmp_path, "production.yaml", "debug: true")
    write(tmp_path, "hosts/this.yaml", "node: {profile: pi}")
    assert layered(tmp_path).settings.node.step_slots == 1
    assert layered(tmp_path, TIP_NODE__PROFILE="master").settings.node.step_slots == 4
    chosen = layered(tmp_path, {"node.profile": "pi", "environment": "production"}, TIP_NODE__PROFILE="master")
    assert (chosen.settings.node.step_slots, chosen.settings.debug) == (1, True)


def test_a_file_cannot_choose_whether_it_is_read_itself(tmp_path: Path):
    write(tmp_path, "node_profiles/hybrid.yaml", "node:\n  profile: pi")
    with pytest.raises(BadInput, match=r"config/node_profiles/hybrid.yaml line 2: node.profile cannot be set here"):
        layered(tmp_path)


def test_a_host_is_found_by_its_full_name_or_the_part_before_the_dot(tmp_path: Path):
    write(tmp_path, "hosts/epm.yaml", "debug: true")
    assert layered(tmp_path, node="epm.home.lan").settings.debug
    write(tmp_path, "hosts/epm.home.lan.yaml", "debug: false")
    assert not layered(tmp_path, node="epm.home.lan").settings.debug


def test_a_node_name_cannot_lead_out_of_the_folder(tmp_path: Path):
    write(tmp_path, "outside.yaml", "debug: true")
    assert not layered(tmp_path, node="../outside").settings.debug


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "quality:\n  minimum_score: 7",
            "config/default.yaml line 2: quality.minimum_score: .* less than or equal to 1",
        ),
        ("quality:\n  minimum_scor: 0.9", "config/default.yaml line 2: .*Did you mean quality.minimum_score"),
        ("quality: 7", "config/default.yaml line 1: quality is a group of settings"),
        ("qualty: {}", "config/default.yaml line 1: there is no setting 'qualty'"),
        (
            "generation:\n\n  concurrency: [6, 2]",
            r"config/default.yaml line 3: generation.concurrency: low \(6\) is above",
        ),
        ("thermal:\n  recovery_celsius: 90", "config/default.yaml line 2: thermal: recovery_celsius .* must be below"),
        ("models:\n  api_key: sk-1", "config/default.yaml line 2: models.api_key is a secret.*Set TIP_LLM_API_KEY"),
        ("models:\n  by_domain: phi", "config/default.yaml line 2: models.by_domain takes names with values"),
        (
            "models:\n  endpoints: [{url: 'localhost:1234'}]",
            "config/default.yaml line 2: models.endpoints.0.url: not an",
        ),
        ("models:\n  endpoints: [{url: 'http://a', api_key_env: sk-proj-x}]", "the NAME of an environment variable"),
        ("models:\n  endpoints: [{url: 'http://me:pw@a'}]", "no user or password in the address"),
        ("quality: {\n", "config/default.yaml line 2: not valid YAML"),
        ("- a\n- b", "config/default.yaml: expected settings"),
        ("debug: true\nnode: {}\ndebug: false", "config/default.yaml line 3: debug is there twice, also on line 1"),
        ("quality: {minimum_score: 0.9}\nquality: {}", "config/default.yaml line 2: quality is there twice"),
        ("environment: staging", "config/default.yaml line 1: environment: .*'development' or 'production'"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(tmp_path: Path, text: str, problem: str):
    write(tmp_path, "default.yaml", text)
    with pytest.raises(BadInput, match=problem) as refused:
        layered(tmp_path)
    assert "sk-" not in str(refused.value)
    assert "me:pw" not in str(refused.value)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path):
    write(tmp_path, "default.yaml", "")
    (tmp_path / "config" / "default.yaml").write_bytes(b"debug: \xff\xfe")
    with pytest.raises(BadInput, match=r"default.yaml: cannot read the file"):
        layered(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "# only words", "quality:\n#  minimum_score: 0.9", "\ufeffquality:", "models: {by_domain: }"]
)
def test_a_file_with_everything_commented_out_sets_nothing(tmp_path: Path, text: str):
    write(tmp_path, "default.yaml", text)
    assert layered(tmp_path).settings == Settings()


def test_values_that_disagree_across_layers_are_all_named(tmp_path: Path):
    write(tmp_path, "default.yaml", "thermal: {recovery_celsius: 79}")
    with pytest.raises(BadInput) as refused:
        layered(tmp_path, TIP_THERMAL__CPU_LIMIT_CELSIUS="70")
    assert "config/default.yaml line 1" in str(refused.value)
    assert "TIP_THERMAL__CPU_LIMIT_CELSIUS" in str(refused.value)


def test_a_stored_setting_of_another_version_of_tip_is_ignored_with_a_warning(tmp_path: Path, caplog):
    assert layered(tmp_path, {"quality.vibes": 11, "debug": True}).settings.debug
    assert "quality.vibes, which this version of tip does not have" in caplog.text


def test_maps_are_merged_by_name_and_lists_are_replaced(tmp_path: Path):
    write(
        tmp_path,
        "default.yaml",
        "models:\n  by_domain: {healthcare: phi-4, retail: qwen}\n  endpoints:\n    - {url: 'http://a/v1'}\n",
    )
    models = layered(
        tmp_path, {"models.endpoints": [{"url": "http://b/v1"}]}, TIP_MODELS__BY_DOMAIN__RETAIL="gemma"
    ).settings.models
    assert models.by_domain == {"healthcare": "phi-4", "retail": "gemma"}
    assert [endpoint.url for endpoint in models.endpoints] == ["http://b/v1"]


def test_every_setting_is_listed_with_its_origin_and_a_description(tmp_path: Path):
    origins = layered(tmp_path, {"models.by_domain.retail": "qwen"}).origins()
    assert {origin.layer for origin in origins if origin.key != "models.by_domain.retail"} == {"default"}
    assert [origin.value for origin in origins if origin.key == "models.by_domain.retail"] == ["qwen"]
    assert [origin.key for origin in origins if not origin.description] == []


def test_an_api_key_never_shows(tmp_path: Path):
    resolved = layered(tmp_path, TIP_LLM_URL="http://localhost:1/v1", TIP_LLM_API_KEY="sk-12345")
    assert "sk-12345" not in repr(resolved.settings)
    assert "sk-12345" not in repr(resolved.origins())
    assert resolved.settings.models.api_key is not None
    assert resolved.settings.models.api_key.get_secret_value() == "sk-12345"


@pytest.mark.parametrize("profile", ["master", "generation", "processing", "hybrid", "laptop", "pi"])
@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_files_that_come_with_tip_are_valid_and_repeat_no_default(profile: str, environment: str):
    resolved = read_layers(
        REPOSITORY,
        "a-host-without-a-file",
        use_database=False,
        environ={"TIP_NODE__PROFILE": profile, "TIP_ENVIRONMENT": environment},
    )
    from_files = [origin for origin in resolved.origins() if origin.layer == "yaml"]
    defaults = resolve(Path("/nowhere"), "", [], {})
    # A range is written as a whole, so one of its ends may be the default.
    whole = [o for o in from_files if not o.key.endswith((".low", ".high"))]
    assert [origin.key for origin in whole if origin.value == defaults.origin(origin.key).value] == []


def test_a_pi_stays_cooler_than_the_rest():
    thermal = load_settings(REPOSITORY, "pi", use_database=False, environ={"TIP_NODE__PROFILE": "pi"}).thermal
    assert (thermal.cpu_limit_celsius, thermal.recovery_celsius) == (75, 70)
