"""Prompt variants: a file replaces or extends the system message, and a wrong one is named."""

from pathlib import Path

import pytest

from tip_assets.experiments.prompt_variants import BUILT_IN, prompt_variants, read_prompt
from tip_assets.generation.prompts import SYSTEM_TEXT, CallPrompt
from tip_resources.domain.failures import BadInput


def written(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_replaces_the_system_message_with_its_lines_kept(tmp_path: Path) -> None:
    found = read_prompt(written(tmp_path, "name: mine\nsystem: |\n  One.\n  Two.\n"))
    assert (found.name, found.system_text) == ("mine", "One.\nTwo.\n")


def test_a_file_adds_to_the_current_system_message(tmp_path: Path) -> None:
    found = read_prompt(written(tmp_path, "name: more\nappend: Keep it short.\n"))
    assert found.system_text.startswith(SYSTEM_TEXT.rstrip()) and found.system_text.endswith("\n\nKeep it short.\n")


@pytest.mark.parametrize(
    "text",
    ["name: a\n", "name: a\nsystem: x\nappend: y\n", "system: x\n", "- a\n", "name: a\nsistem: x\n", "name: [\n", ""],
)
def test_a_file_that_is_no_variant_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"mine\.yaml"):
        read_prompt(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read the file"):
        read_prompt(tmp_path / "none.yaml")


def test_files_are_compared_with_the_current_prompt_and_names_are_told_apart(tmp_path: Path) -> None:
    mine = written(tmp_path, "name: mine\nsystem: x\n")
    assert [variant.name for variant in prompt_variants([mine])] == ["current", "mine"]
    assert [variant.name for variant in prompt_variants([])] == [prompt.name for prompt in BUILT_IN]
    with pytest.raises(BadInput, match="two prompt variants"):
        prompt_variants([mine, mine])


def test_every_wording_has_a_hash_of_its_own_and_the_current_one_is_that_of_the_assets() -> None:
    hashes = {CallPrompt({}, system_text=prompt.system_text).hash for prompt in BUILT_IN}
    assert len(hashes) == len(BUILT_IN)
    assert CallPrompt({}, system_text=BUILT_IN[0].system_text).hash == CallPrompt({}).hash
