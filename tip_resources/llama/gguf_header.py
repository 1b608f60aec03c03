"""Reads what a GGUF file says about its model. The weights are not touched, and nothing in the file is trusted.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from tip_resources.domain.failures import BadInput

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
# Real files have some dozens of keys, and a vocabulary of up to some 300,000 words.
_MOST_KEYS = 10_000
_MOST_ELEMENTS = 4_000_000
_MOST_NUMBERS_KEPT = 4096
_MOST_TEXT_BYTES = 16_000_000
_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_SPLIT_NAME = re.compile(r"-\d{5}-of-(\d{5})\.gguf$")


class GgufFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A model as its file describes it. `kv_heads` has one number per layer; `file_bytes` counts all its parts."""

    architecture: str
    name: str
    file_bytes: int
    context_tokens: int
    layers: int
    embedding: int
    kv_heads: tuple[int, ...]
    key_length: int
    value_length: int
    vocabulary: int


def read_gguf_facts(path: Path) -> GgufFacts:
    """What the header of a GGUF file says.

    Raises:
        BadInput: No such file, not a GGUF file, a damaged one, or a model without the facts that memory is
            reckoned from (not a text model of the transformer kind).
    """
    where = str(path)
    try:
        file_bytes = _bytes_of_all_parts(path)
        with path.open("rb") as file:
            fields = _Reader(file, path.stat().st_size).fields()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}.", where=where) from error
    except (struct.error, UnicodeDecodeError, _Damaged) as error:
        raise BadInput(
            f"not a whole GGUF file: {error}.", where=where, mend="Download or convert it again; llama.cpp reads GGUF."
        ) from error
    return _facts(fields, file_bytes, where)


class _Damaged(ValueError):
    """The bytes are not what the format says."""


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def fields(self) -> dict[str, Any]:
        """All keys with their values; of a long array only its length, as `_Length`."""
        if self._bytes(4) != _MAGIC:
            raise _Damaged("it does not begin with GGUF")
        version = self._number("I")
        if version not in _VERSIONS:
            raise _Damaged(f"its version is {version}, and only {_VERSIONS} are known")
        self._number("Q")  # tensors
        count = self._number("Q")
        if count > _MOST_KEYS:
            raise _Damaged(f"it claims {count} keys")
        return {self._text(): self._value(self._number("I")) for _ in range(count)}

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array()
        if kind not in _NUMBERS:
            raise _Damaged(f"a value has the unknown type {kind}")
        return self._number(_NUMBERS[kind])

    def _array(self) -> Any:
        kind, count = self._number("I"), self._number("Q")
        if count > _MOST_ELEMENTS:
            raise _Damaged(f"an array claims {count} elements")
        if kind == _STRING:
            for _ in range(count):
                self._skip(self._number("Q"))
            return _Length(count)
        if kind not in _NUMBERS:
            raise _Damaged(f"an array has elements of the type {kind}")
        code = _NUMBERS[kind]
        if count > _MOST_NUMBERS_KEPT:
            self._skip(count * struct.calcsize("<" + code))
            return _Length(count)
        return tuple(self._number(code) for _ in range(count))

    def _text(self) -> str:
        length = self._number("Q")
        if length > _MOST_TEXT_BYTES:
            raise _Damaged(f"a text claims {length} bytes")
        return self._bytes(length).decode("utf-8")

    def _number(self, code: str) -> Any:
        return struct.unpack("<" + code, self._bytes(struct.calcsize("<" + code)))[0]

    def _bytes(self, count: int) -> bytes:
        read = self._file.read(count)
        if len(read) < count:
            raise _Damaged("it ends in the middle of its header")
        return read

    def _skip(self, count: int) -> None:
        if self._file.tell() + count > self._size:
            raise _Damaged("it ends in the middle of its header")
        self._file.seek(count, 1)


class _Length(int):
    """How long an array is whose elements were passed over."""


def _facts(fields: dict[str, Any], file_bytes: int, where: str) -> GgufFacts:
    architecture = fields.get("general.architecture")
    if not isinstance(architecture, str):
        raise BadInput("the file does not say its architecture.", where=where, mend="Take another file.")

    def whole(key: str, default: Callable[[], int] | None = None) -> int:
        value = fields.get(f"{architecture}.{key}")
        if isinstance(value, int) and not isinstance(value, bool | _Length) and value > 0:
            return value
        if value is None and default is not None:
            return default()
        raise BadInput(
            f"the file does not say {architecture}.{key}, so the memory for its context cannot be reckoned.",
            where=where,
            mend="Start this model with llama-server yourself and name it in models.endpoints.",
        )

    layers, embedding = whole("block_count"), whole("embedding_length")
    heads = (
        _per_layer(fields.get(f"{architecture}.attention.head_count"), layers)
        or (whole("attention.head_count"),) * layers
    )
    tokens = fields.get("tokenizer.ggml.tokens")
    head_length = embedding // max(heads)
    return GgufFacts(
        architecture=architecture,
        name=str(fields.get("general.name") or ""),
        file_bytes=file_bytes,
        context_tokens=whole("context_length"),
        layers=layers,
        embedding=embedding,
        kv_heads=_per_layer(fields.get(f"{architecture}.attention.head_count_kv"), layers) or heads,
        key_length=whole("attention.key_length", lambda: head_length),
        value_length=whole("attention.value_length", lambda: head_length),
        vocabulary=len(tokens) if isinstance(tokens, tuple) else int(tokens or whole("vocab_size")),
    )


def _per_layer(value: Any, layers: int) -> tuple[int, ...] | None:
    """Heads of each layer: one number stands for all of them. None when the file does not say."""
    if isinstance(value, int) and not isinstance(value, bool | _Length) and value > 0:
        return (value,) * layers
    if isinstance(value, tuple) and len(value) == layers and all(isinstance(one, int) for one in value) and any(value):
        return value
    return None


def _bytes_of_all_parts(path: Path) -> int:
    """The size of the file, or of all its parts when it is the first of several."""
    match = _SPLIT_NAME.search(path.name)
    if match is None:
        return path.stat().st_size
    stem = path.name[: match.start()]
    return sum(part.stat().st_size for part in path.parent.glob(f"{stem}-*-of-{match.group(1)}.gguf"))
