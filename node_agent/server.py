"""The agent's four addresses over HTTP. What a report is made of is in reporter.py."""

import asyncio
import functools
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from node_agent.connections import BoundedProtocol, Bounds
from node_agent.metrics import CONTENT_TYPE, render
from node_agent.openapi import openapi_document
from node_agent.report import NodeReport
from node_agent.reporter import Reporter

_HEADER_BYTES = 8192
_SHUTDOWN_SECONDS = 5


class _Reports:
    """The newest report for any number of clients: they wait for one measurement together, in one thread."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._measuring: asyncio.Task[NodeReport] | None = None

    async def newest(self) -> tuple[NodeReport, float]:
        """The report and its age in seconds."""
        if kept := self._reporter.kept():
            return kept
        if self._measuring is None or self._measuring.done():
            self._measuring = asyncio.create_task(asyncio.to_thread(self._reporter.report))
        # Shielded: a client that goes away takes the measurement from nobody else.
        return await asyncio.shield(self._measuring), 0.0


class _Once:
    """Text made of a report, once for each report however many ask."""

    def __init__(self, render: Callable[[NodeReport], str]) -> None:
        self._render = render
        self._made: tuple[NodeReport, str] | None = None

    def __call__(self, report: NodeReport) -> str:
        if self._made is None or self._made[0] is not report:
            self._made = report, self._render(report)
        return self._made[1]


def _json(report: NodeReport) -> str:
    return json.dumps(report.to_json_object(), allow_nan=False, separators=(",", ":"))


def create_app(reporter: Reporter, alongside: AbstractAsyncContextManager[Any] | None = None) -> Starlette:
    """The agent as an ASGI app.

    Args:
        reporter: Makes the reports; its `keep_seconds` bounds how often.
        alongside: Entered when the server starts and left when it stops.
    """
    reports = _Reports(reporter)
    document = json.dumps(openapi_document(), indent=1)
    as_json, as_metrics = _Once(_json), _Once(render)

    async def report(_: Request) -> Response:
        newest, age = await reports.newest()
        return Response(as_json(newest), media_type="application/json", headers={"Age": str(int(age))})

    async def metrics(_: Request) -> Response:
        newest, _age = await reports.newest()
        return Response(as_metrics(newest), headers={"Content-Type": CONTENT_TYPE})

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def openapi(_: Request) -> Response:
        return Response(document, media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if alongside is None:
            yield
        else:
            async with alongside:
                yield

    return Starlette(
        routes=[
            Route("/v1/report", report),
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/openapi.json", openapi),
        ],
        lifespan=lifespan,
    )


def http_server(app: Starlette, bounds: Bounds) -> uvicorn.Server:
    """The server for the app, not yet started."""
    config = uvicorn.Config(
        app,
        # Named, not "auto": pure Python takes less memory than the compiled parsers and loops save in time here.
        http=functools.partial(BoundedProtocol, bounds=bounds),  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        loop="asyncio",
        log_level="warning",
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)


def stop_on_signals(server: uvicorn.Server) -> None:
    """Let SIGTERM and Ctrl-C end the server in order, also before it has started: what is being answered is finished.

    uvicorn raises a signal again after it has stopped; with a handler of ours in place that is no death by signal.
    """

    def stop(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
