"""Reference calls: the user's own where there are any, the built-in ones otherwise, and never one for the other."""

from pathlib import Path

import pytest

from tests.unit.assets.quality.realism.calls import call
from tip_assets.quality.grading import grade_locally
from tip_assets.quality.realism.reference import Reference, built_in_reference, reference_calls, reference_or_none
from tip_resources.domain.failures import BadInput
from tip_resources.settings.models import QualitySettings, Settings
from tip_resources.storage.jsonl import write_conversations


def named(name: str) -> Settings:
    return Settings(quality=QualitySettings(reference=name))


def test_without_calls_of_the_user_the_built_in_ones_say_what_they_are(tmp_path: Path) -> None:
    reference = reference_calls(Settings(), tmp_path)
    assert reference.is_built_in and "hand-written" in reference.name and "no recordings" in reference.name
    assert len(reference.conversations) == 40


def test_the_built_in_calls_are_whole_and_varied() -> None:
    calls = built_in_reference().conversations
    assert {one.domain for one in calls} == {"healthcare", "retail", "telecommunications"}
    assert len({one.id for one in calls}) == len({one.turns for one in calls}) == len(calls)
    assert all(15 <= len(one.turns) <= 60 for one in calls)
    assert max(len(one.turns) for one in calls) > 2 * min(len(one.turns) for one in calls)
    assert all(grade_locally(one).overall > 4 for one in calls)
    assert [one.id for one in calls if not one.turns[-1].text.endswith((".", "!", "?"))], "some are cut off"


@pytest.mark.parametrize("setting", ["", "config/reference", "config/reference/mine.jsonl"])
def test_calls_of_the_user_go_first(setting: str, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "reference"
    folder.mkdir(parents=True)
    write_conversations(folder / "mine.jsonl", [call("a"), call("b")])
    with (folder / "mine.jsonl").open("a") as file:
        file.write("not a call\n")
    reference = reference_calls(named(setting), tmp_path)
    assert (reference.is_built_in, len(reference.conversations), reference.left_out) == (False, 2, 1)


def test_a_list_of_calls_in_one_json_file_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "calls.json"
    file.write_text('[{"id": "a", "turns": [{"speaker": "agent", "text": "Hello."}]}, {"id": 7}]')
    reference = reference_calls(named("calls.json"), tmp_path)
    assert ([one.id for one in reference.conversations], reference.left_out) == (["a"], 1)


@pytest.mark.parametrize("content", [None, "", "nonsense\n", "{}\n"])
def test_a_reference_that_cannot_be_read_is_never_replaced_by_ours(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "mine.jsonl").write_text(content)
    with pytest.raises(BadInput):
        reference_calls(named("mine.jsonl"), tmp_path)


def test_for_a_set_a_reference_that_cannot_be_read_is_none_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_bytes(b"\xff\xfe{")
    for setting, said in (("gone.jsonl", "no such file"), ("mine.json", "not JSON")):
        found = reference_or_none(named(setting), tmp_path)
        assert found.conversations == () and not found.is_built_in and said in found.trouble
    assert reference_or_none(Settings(), tmp_path) == built_in_reference()


def test_what_it_is_called_is_never_a_whole_path(tmp_path: Path) -> None:
    write_conversations(tmp_path / "mine.jsonl", [call("a")])
    assert reference_calls(named("mine.jsonl"), tmp_path) == Reference(
        name="mine.jsonl", is_built_in=False, conversations=(call("a"),)
    )


def test_of_a_large_reference_a_sample_is_held_and_its_name_says_so(tmp_path: Path) -> None:
    write_conversations(tmp_path / "mine.jsonl", [call(str(number)) for number in range(1_200)])
    reference = reference_calls(named("mine.jsonl"), tmp_path)
    assert len(reference.conversations) == 1_000 == len({one.id for one in reference.conversations})
    assert reference.name == "mine.jsonl (1,000 of 1,200 calls, drawn with seed 5)"
    assert reference == reference_calls(named("mine.jsonl"), tmp_path)
