"""How llama.cpp is started for a model on this machine: threads, context, memory, each with its reason. Pure.

Sizes are upper bounds. The key-value cache is llama.cpp's default, 16-bit floats for every layer (its
src/llama-kv-cache.cpp allocates one row of n_embd_k_gqa and one of n_embd_v_gqa per token and layer); models with
sliding windows take less.
"""

import msgspec

from tip_resources.domain.failures import BadInput
from tip_resources.llama.gguf_header import GgufFacts

_BYTES_OF_A_CACHED_VALUE = 2
_BYTES_OF_A_FLOAT = 4
# llama-cpp-python's default; it also keeps a row of floats over the vocabulary for each token of a batch
# (llama_cpp/llama.py, `scores`), and llama.cpp's own compute buffer holds another.
BATCH_TOKENS = 512
_ROWS_OVER_THE_VOCABULARY = 2
# Activations of a batch in the compute buffer, as rows of the embedding: feed-forward layers are up to 4 times as
# wide, with an input, a gate and an output each.
_ROWS_OF_THE_EMBEDDING = 16
# The interpreter with llama.cpp, fastapi and numpy loaded.
_PROCESS_BYTES = 150_000_000
# llama.cpp rounds its context up to this (src/llama-context.cpp).
_CONTEXT_STEP = 256
# Below it not even a short call with its prompt fits.
LEAST_CONTEXT = 2048
# A larger one only takes memory: several calls in one answer, the largest batch of the pi profile, fit.
MOST_CONTEXT = 16_384
# What other programs on the machine go on needing.
_RESERVE_SHARE = 0.1
_LEAST_RESERVE_BYTES = 512_000_000


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """What counts for llama.cpp on a CPU. `available_bytes` is memory that can be had without swapping."""

    physical_cores: int
    total_bytes: int
    available_bytes: int


class LlamaOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to start the server, and why so. `memory_bytes` is what it will take at most."""

    threads: int
    context_tokens: int
    memory_bytes: int
    reasons: tuple[str, ...]


def llama_options(
    facts: GgufFacts, hardware: Hardware, *, threads: int | None = None, context_tokens: int | None = None
) -> LlamaOptions:
    """Options for a model on a machine.

    Args:
        facts: The model.
        hardware: The machine.
        threads: As the settings have it; None chooses.
        context_tokens: As the settings have it; None chooses the largest useful one that fits.

    Raises:
        BadInput: It does not fit into memory, or the context asked for does not; the message has the figures.
    """
    reserve = max(_LEAST_RESERVE_BYTES, int(hardware.total_bytes * _RESERVE_SHARE))
    usable = hardware.available_bytes - reserve
    per_token = cache_bytes_per_token(facts)
    fixed = facts.file_bytes + buffer_bytes(facts)
    fitting = max(0, usable - fixed) // per_token // _CONTEXT_STEP * _CONTEXT_STEP
    budget = (
        f"{_gb(hardware.available_bytes)} GB are free, {_gb(reserve)} GB of them stay for other programs; "
        f"weights take {_gb(facts.file_bytes)} GB, buffers {_gb(buffer_bytes(facts))} GB, "
        f"each 1,000 tokens of context {_gb(per_token * 1000)} GB"
    )
    wanted = context_tokens or min(LEAST_CONTEXT, facts.context_tokens)
    if fitting < wanted:
        raise BadInput(f"the model does not fit with a context of {wanted} tokens: {budget}.", mend=_mend(fitting))
    chosen = context_tokens or min(fitting, facts.context_tokens, MOST_CONTEXT)
    memory = fixed + per_token * chosen
    return LlamaOptions(
        threads=threads or hardware.physical_cores,
        context_tokens=chosen,
        memory_bytes=memory,
        reasons=(
            f"{threads} threads, as the settings say"
            if threads
            else f"{hardware.physical_cores} threads, one for each physical core",
            f"context of {chosen} tokens, {_why_context(context_tokens, fitting, facts)}",
            f"at most {_gb(memory)} GB of memory: {budget}",
        ),
    )


def cache_bytes_per_token(facts: GgufFacts) -> int:
    """Memory of the keys and values of one token, all layers together."""
    return sum(facts.kv_heads) * (facts.key_length + facts.value_length) * _BYTES_OF_A_CACHED_VALUE


def buffer_bytes(facts: GgufFacts) -> int:
    """Memory besides weights and cache: the process, and what a batch of the prompt needs while it is read."""
    rows = facts.vocabulary * _ROWS_OVER_THE_VOCABULARY + facts.embedding * _ROWS_OF_THE_EMBEDDING
    return _PROCESS_BYTES + BATCH_TOKENS * rows * _BYTES_OF_A_FLOAT


def _why_context(asked: int | None, fitting: int, facts: GgufFacts) -> str:
    if asked:
        return "as the settings say"
    least = min(fitting, facts.context_tokens, MOST_CONTEXT)
    if least == facts.context_tokens:
        return "all that the model was trained for"
    return "more is seldom useful" if least == MOST_CONTEXT else "all that fits into memory"


def _mend(fitting: int) -> str:
    if fitting >= LEAST_CONTEXT:
        return f"Set context_window_tokens to {fitting} or less, or leave it out."
    return "Take a smaller model or a smaller quantization of it (such as Q4_K_M), or stop other programs."


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f}"
