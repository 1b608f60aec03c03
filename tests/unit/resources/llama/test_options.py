"""Promises of the options: they follow from model and machine, with reasons; what does not fit is refused."""

import pytest
from msgspec.structs import replace

from tip_resources.domain.failures import BadInput
from tip_resources.llama.gguf_header import GgufFacts
from tip_resources.llama.options import Hardware, cache_bytes_per_token, llama_options

GB = 1_000_000_000
# Llama 3.2 1B in Q4_K_M: 16 layers, 8 key-value heads of 64, 128,256 words (its config.json); the file has 0.8 GB.
SMALL = GgufFacts(
    architecture="llama",
    name="Llama 3.2 1B Instruct",
    file_bytes=808_000_000,
    context_tokens=131_072,
    layers=16,
    embedding=2048,
    kv_heads=(8,) * 16,
    key_length=64,
    value_length=64,
    vocabulary=128_256,
)
PI_8 = Hardware(physical_cores=4, total_bytes=8 * GB, available_bytes=7 * GB)


def test_a_token_takes_two_bytes_for_each_key_and_value_of_every_layer() -> None:
    assert cache_bytes_per_token(SMALL) == 2 * 16 * 8 * 64 * 2
    assert cache_bytes_per_token(replace(SMALL, kv_heads=(8, 2))) == 2 * 10 * 64 * 2


def test_a_pi_with_8_gb_gets_all_cores_and_a_large_context() -> None:
    options = llama_options(SMALL, PI_8)
    assert (options.threads, options.context_tokens) == (4, 16_384)
    assert options.memory_bytes < 6.2 * GB
    assert "4 threads, one for each physical core" in options.reasons[0]
    assert "more is seldom useful" in options.reasons[1]


def test_less_memory_means_less_context_not_more_than_fits() -> None:
    tight = replace(PI_8, total_bytes=4 * GB, available_bytes=int(2.5 * GB))
    options = llama_options(SMALL, tight)
    assert 2048 <= options.context_tokens < 16_384
    assert options.context_tokens % 256 == 0
    assert options.memory_bytes <= tight.available_bytes - 512_000_000
    assert "all that fits into memory" in options.reasons[1]


def test_a_model_is_not_given_more_context_than_it_was_trained_for() -> None:
    options = llama_options(replace(SMALL, context_tokens=4096), PI_8)
    assert options.context_tokens == 4096
    assert "trained for" in options.reasons[1]


def test_a_model_that_does_not_fit_is_refused_with_figures_and_the_mend() -> None:
    with pytest.raises(BadInput, match=r"7\.00 GB are free.*weights take 9\.00 GB.*smaller quantization"):
        llama_options(replace(SMALL, file_bytes=9 * GB), PI_8)


def test_a_context_asked_for_that_does_not_fit_is_refused_with_one_that_does() -> None:
    with pytest.raises(BadInput, match=r"context of 400000 tokens.*context_window_tokens to (\d+)") as refused:
        llama_options(SMALL, PI_8, context_tokens=400_000)
    fitting = int(refused.value.mend.split(" to ")[1].split()[0])
    assert llama_options(SMALL, PI_8, context_tokens=fitting).context_tokens == fitting


def test_settings_win_over_what_would_be_chosen() -> None:
    options = llama_options(SMALL, PI_8, threads=2, context_tokens=3000)
    assert (options.threads, options.context_tokens) == (2, 3000)
    assert all("as the settings say" in reason for reason in options.reasons[:2])
