"""A rehearsal server in a thread of the test, on a real loopback port."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.request import urlopen

from openai import OpenAI

from tip_resources.rehearsal.knobs import RehearsalKnobs
from tip_resources.rehearsal.listening import listening_socket, port_of, server_of

MODEL = "rehearsal"


@contextmanager
def served(**knobs: Any) -> Iterator[str]:
    """Base URL of a server with these knobs, ending in /v1."""
    with _running(RehearsalKnobs(**knobs)) as url:
        yield url


class PacedServer:
    """A server that writes at a pace until a test has seen what it wanted to see."""

    def __init__(self, url: str, knobs: RehearsalKnobs) -> None:
        self.url = url
        self._knobs = knobs

    def hurry(self) -> None:
        """All it writes from now on comes without a wait, the rest of what it has begun too."""
        object.__setattr__(self._knobs, "tokens_per_second", 1e9)


@contextmanager
def paced(tokens_per_second: float) -> Iterator[PacedServer]:
    """A server that writes each answer at this speed, until it is told to hurry."""
    knobs = RehearsalKnobs(tokens_per_second=tokens_per_second)
    with _running(knobs) as url:
        yield PacedServer(url, knobs)


@contextmanager
def _running(knobs: RehearsalKnobs) -> Iterator[str]:
    server = server_of(knobs)
    listener = listening_socket(0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port_of(listener)}/v1"
    finally:
        server.force_exit = server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def client_of(url: str, **options: Any) -> OpenAI:
    """A client that tries once."""
    return OpenAI(**{"base_url": url, "api_key": "any", "max_retries": 0, "timeout": 10, **options})


def stats_of(url: str) -> dict[str, Any]:
    """The server's own counts."""
    with urlopen(f"{url.removesuffix('/v1')}/rehearsal/stats", timeout=10) as response:
        return json.load(response)


def stats_when(url: str, *, within_seconds: float = 5, **outcomes: int) -> dict[str, Any]:
    """The counts once those outcomes were counted; that is just after their clients saw the end."""
    deadline = time.monotonic() + within_seconds
    while not outcomes.items() <= (counts := stats_of(url))["outcomes"].items():
        assert time.monotonic() < deadline, f"no {outcomes} among {counts}"
        time.sleep(0.01)
    return counts


@contextmanager
def hanging(url: str) -> Iterator[None]:
    """A streamed request that has its first piece and holds its slot until the block ends."""
    with client_of(url) as client:
        answer = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Hello"}],
            stream=True,
            extra_headers={"x-rehearsal-fault": "hang_mid_stream"},
        )
        next(iter(answer))
        yield
        answer.close()


def plans_prompt(count: int = 2, **changes: Any) -> list[dict[str, str]]:
    """Messages that ask for calls, as generation writes them."""
    calls = [
        {
            "call": number,
            "exchanges": [8, 12],
            "emotional_tone": "frustrated",
            "language": "en",
            "variation": 100 + number,
            "scenario": {"domain": "healthcare", "template": "billing_dispute", "title": "A bill twice"},
            "customer": {"name": "Rosa Delgado"},
            "agent": {"name": "Sam Okafor"},
            **changes,
        }
        for number in range(1, count + 1)
    ]
    text = "Write these calls.\nCALL PLANS\n" + json.dumps({"calls": calls})
    return [{"role": "system", "content": "You write calls."}, {"role": "user", "content": text}]


def ask(url: str, messages: list[dict[str, str]] | None = None, **options: Any) -> Any:
    """One answer, not streamed."""
    return client_of(url).chat.completions.create(
        model=MODEL, messages=cast(Any, messages or plans_prompt()), **options
    )


def stream(url: str, messages: list[dict[str, str]] | None = None, **options: Any) -> list[Any]:
    """The chunks of one streamed answer."""
    answer = client_of(url, timeout=options.pop("timeout", 10)).chat.completions.create(
        model=MODEL, messages=cast(Any, messages or plans_prompt()), stream=True, **options
    )
    return list(answer)


def text_of(chunks: list[Any]) -> str:
    """The content of streamed chunks."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
