"""The option that lets a run write what it measured into the docs."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Heard when pytest is given this folder."""
    parser.addoption("--write-table", action="store_true", help="write the cells that ran to docs/reliability.md")
