"""Promises of the addresses: one form for each server, and no secrets in them."""

import pytest

from tip_resources.domain.failures import BadInput
from tip_resources.llm.addresses import is_near, normalized_url, shared_address, tier_of


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("http://localhost:1234", "http://localhost:1234/v1"),
        ("localhost:1234/", "http://localhost:1234/v1"),
        (" http://Box:8000/v1/ ", "http://box:8000/v1"),
        ("http://box:8000/v1/chat/completions", "http://box:8000/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("http://[::1]:1234", "http://[::1]:1234/v1"),
    ],
)
def test_every_way_to_write_a_server_gives_one_form(written: str, form: str) -> None:
    assert normalized_url(written) == form


@pytest.mark.parametrize("written", ["", "ftp://box/v1", "http://", "http://box:port/v1", "http://box:99999"])
def test_what_is_no_address_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(BadInput, match="http://localhost:1234/v1"):
        normalized_url(written)


def test_a_password_in_the_url_is_refused_without_repeating_it() -> None:
    with pytest.raises(BadInput) as error:
        normalized_url("http://me:hunter2@box/v1")
    assert "hunter2" not in str(error.value)
    assert "api_key_env" in str(error.value)


@pytest.mark.parametrize(
    ("url", "tier"),
    [
        ("http://localhost:1234/v1", "local"),
        ("http://127.0.0.1:1234/v1", "local"),
        ("http://[::1]:1234/v1", "local"),
        ("http://192.168.1.7:1234/v1", "network"),
        ("http://gaming-pc:1234/v1", "network"),
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://notopenai.com/v1", "network"),
    ],
)
def test_the_tier_follows_from_the_address(url: str, tier: str) -> None:
    assert tier_of(url) == tier


def test_only_addresses_outside_go_through_a_proxy() -> None:
    assert all(is_near(url) for url in ("http://127.0.0.1/v1", "http://192.168.0.9/v1", "http://gpu.local/v1"))
    assert not any(is_near(url) for url in ("https://api.openai.com/v1", "http://8.8.8.8/v1"))


@pytest.mark.parametrize(
    ("url", "shared"),
    [
        ("http://127.0.0.1:1234/v1", "http://desk:1234/v1"),
        ("http://localhost:1234/v1", "http://desk:1234/v1"),
        ("http://[::1]/v1", "http://desk/v1"),
        ("http://192.168.1.7:1234/v1", "http://192.168.1.7:1234/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
    ],
)
def test_a_loopback_address_is_known_to_other_machines_by_the_name_of_its_own(url: str, shared: str) -> None:
    assert shared_address(url, "Desk") == shared
