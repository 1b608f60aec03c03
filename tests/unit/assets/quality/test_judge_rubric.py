"""The page, the question to the model and the rubric file say the same."""

from pathlib import Path

import pytest

from tip_assets.quality.judge_rubric import Anchored, content_hash, judge_rubric, judge_rubric_version

DOCS = (Path(__file__).parents[4] / "docs" / "grading.md").read_text(encoding="utf-8")


def all_criteria() -> dict[str, Anchored]:
    found: dict[str, Anchored] = {"`overall`": judge_rubric().overall}
    for name, criterion in judge_rubric().criteria.items():
        found[f"`{name}`"] = criterion
        found |= {f"`{name}` in {domain}": anchored for domain, anchored in criterion.domains.items()}
    return found


@pytest.mark.parametrize("title", all_criteria())
def test_the_page_has_every_anchor_of_the_rubric(title: str) -> None:
    anchored = all_criteria()[title]
    levels = "\n".join(f"- {level}: {anchored.anchors[level]}" for level in range(5, -1, -1))
    assert f"**{title}**: {anchored.about.strip()}\n\n{levels}\n" in DOCS


def test_the_page_names_the_version_that_ships() -> None:
    assert f"`{judge_rubric_version()}`" in DOCS


def test_r_c_and_n_and_the_named_criteria_are_asked() -> None:
    assert list(judge_rubric().criteria) == [
        "realism", "coherence", "naturalness", "domain_accuracy", "emotional_consistency", "flow", "completeness",
    ]  # fmt: skip
    assert "healthcare" in judge_rubric().criteria["domain_accuracy"].domains


def test_a_level_without_an_anchor_is_refused() -> None:
    with pytest.raises(ValueError, match="0, 1, 2, 3, 4 and 5"):
        Anchored(about="?", anchors={0: "bad", 5: "good"})


def test_the_hash_is_of_the_words_and_not_of_the_line_ends() -> None:
    assert content_hash(b"a\nb\n") == content_hash(b"a\r\nb\r\n") != content_hash(b"a\nc\n")
