"""Data set names are partition keys, folder names and URL parts at once."""

import pytest

from tip_resources.domain.failures import BadInput
from tip_resources.domain.names import validate_dataset_name


@pytest.mark.parametrize("name", ["a", "demo-1", "clinic.v2", "0", "a_b-c.d", "x" * 64])
def test_a_plain_name_is_accepted(name: str) -> None:
    assert validate_dataset_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "../../x", "a/b", "a\\b", "a..b", ".hidden", "-x", "A", "a b", "a,b", "a|b", "x" * 65, "con", "nul.txt"),
        *("a.", "a\n", "b\x00", "caf\u00e9", "..."),
    ],
)
def test_a_name_that_could_escape_or_break_something_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"Use 1 to 64|device name"):
        validate_dataset_name(name)
