"""Requests and spec files nobody would write: an answer or a `BadInput`, never anything else."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fuzzing import few, many
from tip_assets.planning.dataset_names import name_from_file, suggest_name
from tip_assets.planning.domain_library import load_libraries
from tip_assets.planning.request_parser import parse_request
from tip_assets.planning.spec_checks import check_spec
from tip_assets.planning.spec_files import SUFFIXES, load_spec_file
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.names import validate_dataset_name

LIBRARIES = load_libraries()
WORDS = (
    *("generate", "500", "1,000", "two hundred", "a dozen", "-3", "0", "1e9", "10k", "half a million", "\u0663\u0660"),
    *("healthcare", "retail", "telecom", "calls", "transcripts", "and", "with", "in", "without", "not", "plus", "each"),
    *("angry", "frustrated", "calm", "elderly", "female", "patients", "Spanish", "German", "simple", "complex"),
    *("returns", "billing", "turn by turn", ",", ".", ";", "\n", "%", "of", "them", "respectively", "\U0001f600"),
)
REQUESTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join),
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=8)), max_size=25).map(" ".join),
)
FIELDS = (*DatasetSpec.__struct_fields__, "request", "datasets", "Name", "")
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.sampled_from(WORDS),
        st.sampled_from(["healthcare", "retail", "batched", "openai", "en", "de", "2026-11-21", "3", "../../x"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=6)), inner, max_size=5),
    ),
    max_leaves=12,
)  # fmt: skip
# A spec that is right but for a few fields, so that more than the first check is reached.
GOOD = {"name": "a", "count": 5, "domain": "healthcare"}
DOCUMENTS = st.one_of(
    VALUES, st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4).map(lambda some: GOOD | some)
)


def as_yaml(document: object) -> str:
    return yaml.safe_dump(document, allow_unicode=True)


def written(write: Callable[[object], str], document: object) -> bytes:
    return write(document).encode("utf-8", "replace")


TEXTS = st.one_of(
    st.binary(max_size=200),
    st.text("adocunt:m []{}&*!-'\"\n\t,5", max_size=120).map(str.encode),
    st.builds(written, st.sampled_from([json.dumps, as_yaml]), DOCUMENTS),
)
# Where a file was damaged: what is cut out, and what stands there instead.
DAMAGE = st.one_of(st.none(), st.tuples(st.integers(0, 300), st.integers(0, 20), st.binary(max_size=4)))


def reads_or_refuses_a_request(text: str) -> None:
    try:
        parsed = parse_request(text, LIBRARIES)
    except BadInput as refused:
        assert str(refused)
        return
    assert parsed.drafts
    for draft in parsed.drafts:
        check_spec(draft.to_spec(name=suggest_name(draft, lambda name: False), seed=1), LIBRARIES)
        assert all(words in " ".join(text.split()) or " " in words for words in draft.not_understood)


def loads_or_refuses_a_file(data: bytes, suffix: str, damage: tuple[int, int, bytes] | None) -> None:
    if damage is not None:
        at, length, instead = damage
        data = data[:at] + instead + data[at + length :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"spec{suffix}"
        path.write_bytes(data)
        try:
            specs = load_spec_file(path, LIBRARIES)
        except BadInput as refused:
            assert "spec" in str(refused)
            return
    for spec in specs:
        assert validate_dataset_name(spec.name) == spec.name
        assert spec.count >= 1


def makes_a_name_or_refuses(stem: str) -> None:
    try:
        name = name_from_file(stem)
    except BadInput as refused:
        assert str(refused)
        return
    assert validate_dataset_name(name) == name


@few(60)
@given(REQUESTS)
def test_any_request_is_read_or_refused(text: str) -> None:
    reads_or_refuses_a_request(text)


@many(2_000)
@given(REQUESTS)
def test_any_request_is_read_or_refused_many_times(text: str) -> None:
    reads_or_refuses_a_request(text)


@few(60)
@given(TEXTS, st.sampled_from(SUFFIXES), DAMAGE)
def test_any_spec_file_is_loaded_or_refused(data: bytes, suffix: str, damage: tuple[int, int, bytes] | None) -> None:
    loads_or_refuses_a_file(data, suffix, damage)


@many(2_000)
@given(TEXTS, st.sampled_from(SUFFIXES), DAMAGE)
def test_any_spec_file_is_loaded_or_refused_many_times(
    data: bytes, suffix: str, damage: tuple[int, int, bytes] | None
) -> None:
    loads_or_refuses_a_file(data, suffix, damage)


@few(60)
@given(st.text(max_size=80))
def test_any_file_gives_a_name_or_is_refused(stem: str) -> None:
    makes_a_name_or_refuses(stem)


@many(2_000)
@given(st.text(max_size=80))
def test_any_file_gives_a_name_or_is_refused_many_times(stem: str) -> None:
    makes_a_name_or_refuses(stem)
