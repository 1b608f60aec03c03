"""The HTTP client of the hot path, for streamed answers: what leaves this machine, by aiohttp.

The same promises as http_client.py, which asks servers what they serve: only our own headers, no proxy of the
environment between machines of the local network, no redirect, no cookies, no unpacking of what comes.
"""

import ssl
import urllib.request
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import msgspec

from tip_resources.llm.addresses import is_near
from tip_resources.llm.types import Endpoint

_KEEPALIVE_SECONDS = 5.0


class Target(msgspec.Struct, frozen=True):
    """Where the calls of an endpoint go, and all that is sent with them but the body."""

    url: str
    options: dict[str, Any]


def new_session(connect_seconds: float) -> aiohttp.ClientSession:
    """A client for all servers. Silence after the connection is watched elsewhere (silence.py).

    Args:
        connect_seconds: Longest wait for a connection, name and TLS included.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS),
        timeout=aiohttp.ClientTimeout(total=None, connect=connect_seconds, sock_connect=connect_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent",),
        auto_decompress=False,
        trust_env=False,  # it would also send passwords from .netrc; proxies are found below
    )


def target_of(endpoint: Endpoint) -> Target:
    """Where and how an endpoint is asked.

    Raises:
        ValueError: The address, or that of its proxy, cannot be used; the message holds no secret.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}
    if endpoint.api_key is not None and (key := endpoint.api_key.get_secret_value()):
        headers["Authorization"] = f"Bearer {key}"
    options: dict[str, Any] = {"headers": headers, "allow_redirects": False}
    is_private = urlsplit(endpoint.url).scheme == "https"
    if address := _proxy_of(endpoint.url):
        options["proxy"], login = _proxy(address)
        # The head of a request that goes to the proxy in clear is its own head; else there is one for the tunnel.
        (options.setdefault("proxy_headers", {}) if is_private else headers).update(login)
    if is_private:
        options["ssl"] = _trust(endpoint.url)
    return Target(f"{endpoint.url.rstrip('/')}/chat/completions", options)


def _trust(url: str) -> ssl.SSLContext:
    """The same certificates as http_client.py trusts."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=not is_near(url))


def _proxy_of(url: str) -> str | None:
    """The environment's proxy for an address outside the local network."""
    parts = urlsplit(url)
    if is_near(url) or urllib.request.proxy_bypass(parts.netloc):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _proxy(address: str) -> tuple[str, dict[str, str]]:
    """A proxy's address without the login in it, and the header with the login."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"the proxy of the environment is of a kind we cannot use ({parts.scheme})")
    login: dict[str, str] = {}
    if parts.username is not None:
        words = unquote(parts.username), unquote(parts.password or "")
        login = {"Proxy-Authorization": aiohttp.encode_basic_auth(*words)}
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", login
