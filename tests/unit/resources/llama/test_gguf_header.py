"""Promises of the GGUF reader: what a file says is understood, and a hostile or broken file is refused in words."""

import struct
from pathlib import Path

import pytest

from tests.unit.resources.llama.tiny_gguf import Numbers, vocabulary, write_header, write_tiny_gguf
from tip_resources.domain.failures import BadInput
from tip_resources.llama.gguf_header import read_gguf_facts

_U32 = 4


def test_a_model_is_described_by_its_file(tmp_path: Path) -> None:
    file = write_tiny_gguf(tmp_path / "tiny.gguf")
    facts = read_gguf_facts(file)
    assert (facts.architecture, facts.name, facts.context_tokens) == ("llama", "tiny", 4096)
    assert (facts.layers, facts.kv_heads, facts.key_length, facts.value_length) == (2, (2, 2), 16, 16)
    assert (facts.vocabulary, facts.file_bytes) == (len(vocabulary()), file.stat().st_size)


def test_heads_without_grouping_and_longer_keys_are_counted(tmp_path: Path) -> None:
    changes = {"llama__attention__head_count_kv": None, "llama__attention__key_length": 32}
    facts = read_gguf_facts(write_header(tmp_path / "m.gguf", **changes))
    assert (facts.kv_heads, facts.key_length, facts.value_length) == ((4, 4), 32, 16)


def test_heads_may_differ_from_layer_to_layer(tmp_path: Path) -> None:
    changes = {"llama__attention__head_count_kv": Numbers(5, [1, 3])}
    assert read_gguf_facts(write_header(tmp_path / "m.gguf", **changes)).kv_heads == (1, 3)


def test_all_parts_of_a_split_model_count(tmp_path: Path) -> None:
    first = write_header(tmp_path / "m-00001-of-00002.gguf")
    (tmp_path / "m-00002-of-00002.gguf").write_bytes(b"x" * 1000)
    (tmp_path / "other-00002-of-00002.gguf").write_bytes(b"x" * 5000)
    assert read_gguf_facts(first).file_bytes == first.stat().st_size + 1000


@pytest.mark.parametrize("length", [0, 3, 20, 200, 3000])
def test_a_file_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    whole = write_header(tmp_path / "m.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole[:length])
    with pytest.raises(BadInput, match="not a whole GGUF file"):
        read_gguf_facts(cut)


@pytest.mark.parametrize(
    "content",
    [
        b"GGML" + bytes(60),
        b"GGUF" + struct.pack("<I", 99) + bytes(60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<IIQ", 9, _U32, 2**61),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<IIQ", 9, _U32, 3_000_000),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<I", 77),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"\xff" + struct.pack("<II", _U32, 1),
    ],
)
def test_false_claims_are_refused_before_memory_is_taken(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "evil.gguf"
    file.write_bytes(content)
    with pytest.raises(BadInput, match="not a whole GGUF file"):
        read_gguf_facts(file)


def test_a_model_of_another_kind_is_refused_with_the_way_out(tmp_path: Path) -> None:
    changes = {"llama__attention__head_count": None, "llama__attention__head_count_kv": None}
    with pytest.raises(BadInput, match=r"head_count.*models\.endpoints"):
        read_gguf_facts(write_header(tmp_path / "mamba.gguf", **changes))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.gguf: cannot be read"):
        read_gguf_facts(tmp_path / "gone.gguf")
