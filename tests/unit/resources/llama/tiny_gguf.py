"""Writes a GGUF file that llama.cpp loads: the llama architecture at toy size, random weights, a byte vocabulary.

What it writes is noise. The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import random
import struct
from pathlib import Path
from typing import Any

LAYERS, EMBEDDING, HEADS, KV_HEADS, FEED_FORWARD, CONTEXT = 2, 64, 4, 2, 128, 4096
_U32, _F32, _STRING, _ARRAY, _I32 = 4, 6, 8, 9, 5
_ALIGNMENT = 32
_CHAT = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}"
)


class Numbers(list[Any]):
    """An array of numbers with its element type."""

    def __init__(self, kind: int, values: list[Any]) -> None:
        super().__init__(values)
        self.kind = kind


def vocabulary() -> list[str]:
    """Three control tokens, the 256 bytes, and a few words."""
    return ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *"\u2581abcdefghij", "\u2581the"]


def fields(**changes: Any) -> dict[str, Any]:
    """The keys of the header; `changes` replaces by name with dots as double underscores, None leaves one out."""
    tokens = vocabulary()
    known = {
        "general.architecture": "llama",
        "general.name": "tiny",
        "general.alignment": _ALIGNMENT,
        "llama.context_length": CONTEXT,
        "llama.embedding_length": EMBEDDING,
        "llama.block_count": LAYERS,
        "llama.feed_forward_length": FEED_FORWARD,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": EMBEDDING // HEADS,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": Numbers(_F32, [0.0] * len(tokens)),
        "tokenizer.ggml.token_type": Numbers(_I32, [2, 3, 3, *[6] * 256, *[1] * (len(tokens) - 259)]),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.chat_template": _CHAT,
    }
    known.update({name.replace("__", "."): value for name, value in changes.items()})
    return {name: value for name, value in known.items() if value is not None}


def write_tiny_gguf(path: Path, **changes: Any) -> Path:
    """A whole file, with tensors."""
    rng = random.Random(7)
    tensors = _tensors()
    infos, offset = b"", 0
    for name, shape in tensors.items():
        infos += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        infos += struct.pack("<IQ", 0, offset)  # 0 is float32
        offset += _padded(4 * _size(shape))
    header = _header(fields(**changes), len(tensors)) + infos
    with path.open("wb") as file:
        file.write(header.ljust(_padded(len(header)), b"\0"))
        for name, shape in tensors.items():
            is_norm = name.endswith("norm.weight")
            values = [1.0 if is_norm else rng.gauss(0, 0.05) for _ in range(_size(shape))]
            content = struct.pack(f"<{len(values)}f", *values)
            file.write(content.ljust(_padded(len(content)), b"\0"))
    return path


def write_header(path: Path, **changes: Any) -> Path:
    """A file that ends after its keys: enough for whoever reads no weights."""
    path.write_bytes(_header(fields(**changes), 0))
    return path


def _tensors() -> dict[str, tuple[int, ...]]:
    words, kv = len(vocabulary()), EMBEDDING // HEADS * KV_HEADS
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (EMBEDDING, words),
        "output_norm.weight": (EMBEDDING,),
        "output.weight": (EMBEDDING, words),
    }
    for layer in range(LAYERS):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (EMBEDDING,),
            f"blk.{layer}.attn_q.weight": (EMBEDDING, EMBEDDING),
            f"blk.{layer}.attn_k.weight": (EMBEDDING, kv),
            f"blk.{layer}.attn_v.weight": (EMBEDDING, kv),
            f"blk.{layer}.attn_output.weight": (EMBEDDING, EMBEDDING),
            f"blk.{layer}.ffn_norm.weight": (EMBEDDING,),
            f"blk.{layer}.ffn_gate.weight": (EMBEDDING, FEED_FORWARD),
            f"blk.{layer}.ffn_up.weight": (EMBEDDING, FEED_FORWARD),
            f"blk.{layer}.ffn_down.weight": (FEED_FORWARD, EMBEDDING),
        }
    return shapes


def _header(known: dict[str, Any], tensors: int) -> bytes:
    start = b"GGUF" + struct.pack("<IQQ", 3, tensors, len(known))
    return start + b"".join(_text(name) + _value(value) for name, value in known.items())


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, int):
        return struct.pack("<II", _U32, value)
    if isinstance(value, float):
        return struct.pack("<If", _F32, value)
    kind = value.kind if isinstance(value, Numbers) else _STRING
    start = struct.pack("<IIQ", _ARRAY, kind, len(value))
    if kind == _STRING:
        return start + b"".join(_text(one) for one in value)
    return start + struct.pack(f"<{len(value)}{'f' if kind == _F32 else 'i'}", *value)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _padded(count: int) -> int:
    return -(-count // _ALIGNMENT) * _ALIGNMENT
