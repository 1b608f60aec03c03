"""An S3 server for tests: moto's, over real HTTP on loopback, in this process. Skips the test where it is absent.

In a conftest.py: `from tests.s3_server import s3, s3_server  # noqa: F401`. `s3` is a fresh bucket and the environment
that leads to it; `s3.url` goes into TIP_STORAGE_URL. It counts requests and can be told to go away.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

BUCKET = "tip-test"


@dataclass
class S3Server:
    """A running server. While `is_away(method, path)` is true it breaks connections off without an answer."""

    address: str
    objects: Callable[[], dict[str, bytes]]
    make_bucket: Callable[[str], object]
    requests: list[tuple[str, str]] = field(default_factory=list)
    is_away: Callable[[str, str], bool] = lambda method, path: False

    @property
    def url(self) -> str:
        """The storage root of a test; spaces have to be quoted on their way."""
        return f"s3://{BUCKET}/our calls"

    def names(self, under: str = "") -> list[str]:
        """Keys below the storage root, or a folder in it."""
        prefix = f"our calls/{under}"
        return sorted(key.removeprefix(prefix) for key in self.objects() if key.startswith(prefix))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One server for the session: importing moto takes seconds."""
    for name in ("s3fs", "moto", "flask", "flask_cors"):
        pytest.importorskip(name, reason=f"{name} of the extras s3 and dev is not installed")
    from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingImports] - dev
        DomainDispatcherApplication,
        create_backend_app,
    )
    from moto.s3.models import s3_backends  # pyright: ignore[reportMissingImports] - dev
    from werkzeug.serving import WSGIRequestHandler, make_server  # pyright: ignore[reportMissingImports] - dev

    class Quiet(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Says nothing: a test makes thousands of requests."""

    backend = s3_backends["123456789012"]["aws"]
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        server.requests.append((method, path))
        if server.is_away(method, path):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        return moto(environ, start_response)

    http = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    server = S3Server(
        address=f"http://127.0.0.1:{http.server_port}",
        objects=lambda: {key: found.value for key, found in backend.buckets[BUCKET].keys.items()},
        make_bucket=lambda name: backend.create_bucket(name, "us-east-1"),
    )
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield server
    http.shutdown()
    thread.join()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An empty bucket, and the environment that leads to it and nowhere else."""
    from moto.s3.models import s3_backends  # pyright: ignore[reportMissingImports] - dev

    s3_backends["123456789012"]["aws"].reset()
    s3_server.make_bucket(BUCKET)
    s3_server.requests.clear()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a key",
        "AWS_SECRET_ACCESS_KEY": "a secret",
        "AWS_ENDPOINT_URL": s3_server.address,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",  # botocore waits seconds between attempts
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    import s3fs  # pyright: ignore[reportMissingImports] - the extra s3

    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 2)  # five in life, with longer and longer pauses
    forget_connections()
    yield s3_server
    s3_server.is_away = lambda method, path: False
    forget_connections()


def forget_connections() -> None:
    """s3fs keeps what it once read from the environment."""
    import s3fs  # pyright: ignore[reportMissingImports] - the extra s3

    s3fs.S3FileSystem.clear_instance_cache()
