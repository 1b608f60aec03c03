"""Projects with a data set in them, for tests of backups."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded import empty_database
from tip_resources.database.connection import URL_VARIABLE, close


@pytest.fixture
def other_database(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of another, empty database; tip's for the rest of the test once it is put into the environment."""
    with empty_database(server_url) as url:
        yield url
        monkeypatch.setenv(URL_VARIABLE, url)
        close()


@pytest.fixture
def new_home(tmp_path: Path) -> Path:
    """An empty project folder."""
    folder = tmp_path / "new home"
    folder.mkdir()
    return folder
