"""URLs of model servers: brought to one form, named, and placed in a tier. No network here."""

import ipaddress
from urllib.parse import urlsplit

from tip_resources.domain.failures import BadInput
from tip_resources.domain.provenance import Tier

_EXAMPLE = "Write it like http://localhost:1234/v1."


def normalized_url(url: str, *, where: str = "endpoint url") -> str:
    """The base URL of the API: with a scheme, without a trailing slash, ending in /v1 when no path was given.

    Raises:
        BadInput: Not an http(s) address, or with a password in it.
    """
    text = url.strip()
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadInput(f"{url!r} is not an address: {error}.", where=where, mend=_EXAMPLE) from error
    if parts.username or parts.password:
        # Not quoted: it holds a secret.
        mend = "Name an environment variable with the key in api_key_env instead."
        raise BadInput("an endpoint's url holds a user name or password.", where=where, mend=mend)
    if parts.scheme not in ("http", "https") or not host:
        raise BadInput(f"{url!r} is not an http address.", where=where, mend=_EXAMPLE)
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/models").rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def server_root(url: str) -> str:
    """The address without the path of the API, where servers keep their own pages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def name_of(url: str) -> str:
    """A short name: host and port."""
    return urlsplit(url).netloc


def is_near(url: str) -> bool:
    """Whether an address lies on this machine or the local network."""
    host = (urlsplit(url).hostname or "").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".localhost", ".home.arpa"))
    return address.is_loopback or address.is_private or address.is_link_local


def tier_of(url: str) -> Tier:
    """The tier an address belongs to when nobody says: this machine, another one, or the paid API."""
    host = (urlsplit(url).hostname or "").lower()
    if host == "openai.com" or host.endswith(".openai.com"):
        return "openai"
    if host == "localhost" or host.endswith(".localhost"):
        return "local"
    try:
        return "local" if ipaddress.ip_address(host).is_loopback else "network"
    except ValueError:
        return "network"


def shared_address(url: str, node: str) -> str:
    """The address by which several machines' records tell endpoints apart: a loopback host becomes `node`.

    On every machine 127.0.0.1 is another server, and one database may serve many machines.
    """
    parts = urlsplit(url)
    if tier_of(url) != "local":
        return url
    host = node.lower() if parts.port is None else f"{node.lower()}:{parts.port}"
    return f"{parts.scheme}://{host}{parts.path}"
