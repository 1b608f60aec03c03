"""What tests on real Dagster instances share: the session's database, an instance, and a home."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine

from tests.embedded import database_home, fresh_database, server_url

__all__ = ["database_home", "fresh_database", "server_url"]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance in memory."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine) -> Path:
    """An empty project folder, on a database of its own."""
    folder = tmp_path / "a home with spaces"
    folder.mkdir()
    return folder
