"""What is convenient on one's own machine and unsafe with real data: `environment: production` refuses it.

One list for everybody: `tip doctor` shows it, `tip up` ends with it, and the gate lets no run start while it is not
empty (under plain `dagster dev` as well). The web UI is not on it: `tip up` opens it on this machine alone.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tip_resources.domain.failures import BadInput
from tip_resources.llm.addresses import is_near
from tip_resources.redaction_key import KEY_FILE, KEY_VARIABLE
from tip_resources.settings.models import Settings

_DATABASE = "TIP_DATABASE_URL"
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})
_GUESSED = frozenset({"postgres", "password", "tip", "admin", "secret", "changeme"})
_SECRET_NAMES = ("_KEY", "_PASSWORD", "_TOKEN", _DATABASE)
_REHEARSAL = "rehearsal"
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Unsafe:
    """One thing that must not be so in production, and how to mend it."""

    what: str
    mend: str


def unsafe_defaults(home: Path, settings: Settings, environ: Mapping[str, str]) -> tuple[Unsafe, ...]:
    """Everything that production refuses, whatever the environment is now. Reads settings and files, asks nobody."""
    return (
        *_of_settings(settings),
        *_of_endpoints(settings),
        *_of_the_database(environ),
        *_of_secrets(home, environ),
    )


def refusal(home: Path, settings: Settings, environ: Mapping[str, str]) -> str | None:
    """Why nothing may run in production, in words; None in development, and where nothing is unsafe."""
    if settings.environment != "production":
        return None
    found = unsafe_defaults(home, settings, environ)
    if not found:
        return None
    return f"the environment is production, and {'; '.join(each.what for each in found)} (tip doctor says how to mend)"


def refuse_unsafe(home: Path, settings: Settings, environ: Mapping[str, str]) -> None:
    """Passes in development, and where nothing is unsafe.

    Raises:
        BadInput: Names everything that is unsafe, each with how to mend it.
    """
    if settings.environment != "production":
        return
    if found := unsafe_defaults(home, settings, environ):
        lines = "".join(f"\n  - {each.what}.\n    {each.mend}" for each in found)
        raise BadInput(f"the environment is production, which refuses:{lines}\n")


def _of_settings(settings: Settings) -> Iterator[Unsafe]:
    if settings.debug:
        yield Unsafe("debug is on, so that logs explain every decision", "tip config set debug false")
    if settings.models.probe_localhost:
        yield Unsafe(
            "models.probe_localhost is on, so that any server on a usual port of this machine may write calls",
            "tip config set models.probe_localhost false, and name the servers in models.endpoints.",
        )
    if settings.models.rehearsal_options:
        yield Unsafe(
            "models.rehearsal_options is set, which is for trying things out",
            "tip config set models.rehearsal_options '[]'",
        )
    if not settings.disk.reserve_gigabytes:
        yield Unsafe(
            "disk.reserve_gigabytes is 0, so that the database may meet a full disk",
            "tip config set disk.reserve_gigabytes 2",
        )


def _of_endpoints(settings: Settings) -> Iterator[Unsafe]:
    for endpoint in settings.models.endpoints:
        name = endpoint.name or urlsplit(endpoint.url).netloc
        is_plain = endpoint.url.startswith("http://") and urlsplit(endpoint.url).hostname not in _THIS_MACHINE
        if _REHEARSAL in (endpoint.model, endpoint.name):
            yield Unsafe(
                f"the endpoint {name} is the rehearsal server, whose calls are scripted",
                "Take it out of models.endpoints.",
            )
        if is_plain and (endpoint.api_key_env or not is_near(endpoint.url)):
            yield Unsafe(
                f"prompts{' and a key' if endpoint.api_key_env else ''} go to {name} over plain http",
                "Give the endpoint an https:// address.",
            )
    for node in settings.fleet.nodes:
        if node.url.startswith("http://") and not is_near(node.url):
            yield Unsafe(
                f"the agent of {node.name} is asked over plain http outside of the local network",
                "Give it an https:// address (a proxy before it), or reach it through a VPN.",
            )


def _of_the_database(environ: Mapping[str, str]) -> Iterator[Unsafe]:
    given = environ.get(_DATABASE)
    if not given:
        return  # the embedded server listens on a socket of its owner's, or on this machine with a password
    from sqlalchemy.engine import make_url

    url = make_url(given.strip())
    host = url.host or ""
    if not host or host in _THIS_MACHINE or host.startswith("/"):
        host = ""
    has_other_proof = any(name in environ for name in ("PGPASSWORD", "PGPASSFILE")) or any(
        name in url.query for name in ("passfile", "sslcert")
    )
    password = str(url.password or "")
    if host and not password and not has_other_proof:
        yield Unsafe(f"the database at {host} is used without a password", f"Write one into {_DATABASE}.")
    if password and (password == url.username or password.lower() in _GUESSED):
        yield Unsafe("the database's password can be guessed", "Take a random one.")
    if host and not is_near(f"http://{host}") and url.query.get("sslmode") not in _ENCRYPTED:
        yield Unsafe(
            f"the connection to the database at {host} need not be encrypted", f"Add ?sslmode=require to {_DATABASE}."
        )


def _of_secrets(home: Path, environ: Mapping[str, str]) -> Iterator[Unsafe]:
    if environ.get(_DATABASE) and not environ.get(KEY_VARIABLE):
        yield Unsafe(
            f"{KEY_VARIABLE} is not set and the database is shared, so that each machine has tags and surrogates of "
            "its own",
            f"Set {KEY_VARIABLE} to 32 random characters, alike on all machines.",
        )
    if os.name == "nt":
        return
    key, env_file = home / ".tip" / KEY_FILE, home / ".env"
    if _is_open(key):
        yield Unsafe(f"{key} can be read by others", f"chmod 600 {key}")
    if _is_open(env_file) and _holds_secrets(env_file):
        yield Unsafe(f"{env_file} holds secrets and can be read by others", f"chmod 600 {env_file}")


def _is_open(file: Path) -> bool:
    return file.is_file() and bool(file.stat().st_mode & 0o077)


def _holds_secrets(env_file: Path) -> bool:
    from dotenv import dotenv_values

    return any(value and name.endswith(_SECRET_NAMES) for name, value in dotenv_values(env_file).items())
