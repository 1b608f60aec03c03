"""dataset_metrics where its surroundings are not as they should be."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tip_assets.platform import Platform
from tip_assets.quality.metrics_asset import usable_reference


def test_a_reference_that_cannot_be_read_is_said_and_nothing_stands_in(
    tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIP_QUALITY__REFERENCE", "gone.jsonl")
    found = usable_reference(Platform(home=str(tmp_path)))
    assert found.conversations == () and not found.is_built_in
    assert found.name.startswith("none: ") and "gone.jsonl" in found.name


def test_without_a_setting_the_built_in_calls_are_used(tmp_path: Path, fresh_database: Engine) -> None:
    found = usable_reference(Platform(home=str(tmp_path)))
    assert found.is_built_in and found.conversations
