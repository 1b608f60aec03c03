"""Whatever is called a data set: a name that is safe everywhere, or a `BadInput`."""

from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fuzzing import few, many
from tip_resources.domain.failures import BadInput
from tip_resources.domain.names import DATASET_NAME_PATTERN, validate_dataset_name

ALPHABET = 'abcz019._-AZ/\\:*?"<>|%~ \t\n\r\x00\u00e9\u0130\u2024\uff0e\u202e'
NAMES = st.one_of(
    st.text(max_size=80),
    st.text(ALPHABET, max_size=70),
    st.from_regex(DATASET_NAME_PATTERN),
    st.sampled_from(["con", "nul.txt", "COM1", "lpt9.a", "..", ".", "a..", "x" * 64, "x" * 65]),
)
OTHERS = st.one_of(st.none(), st.integers(), st.floats(), st.binary(max_size=8), st.lists(st.text(max_size=3)))


def is_safe_or_refused(name: object) -> None:
    try:
        accepted = validate_dataset_name(name)  # type: ignore[arg-type]
    except BadInput as refused:
        assert refused.mend
        return
    assert accepted == name
    assert accepted == accepted.casefold() == quote(accepted, safe="")
    assert PurePosixPath("data", accepted).parts == PureWindowsPath("data", accepted).parts == ("data", accepted)
    assert (Path("/data") / accepted).resolve().parent == Path("/data").resolve()
    assert not accepted.endswith((".", " "))


@few(150)
@given(st.one_of(NAMES, OTHERS))
def test_any_name_is_safe_or_refused(name: object) -> None:
    is_safe_or_refused(name)


@many(5_000)
@given(NAMES)
def test_any_name_is_safe_or_refused_many_times(name: str) -> None:
    is_safe_or_refused(name)
