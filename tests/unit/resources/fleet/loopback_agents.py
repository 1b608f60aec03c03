"""Agents that answer over real HTTP on loopback, and agents that misbehave."""

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from node_agent.report import NodeReport
from tests.unit.resources.fleet.reports import as_sent
from tip_resources.fleet.poller import REPORT_PATH, Address

ZIPPED = gzip.compress(b" " * 5_000_000)


class Agents:
    """Agents on one port, each below a path of its own: what each answers is set by its path."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.asked[name] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(name, request)
        finally:
            self.at_once -= 1

    async def _answer(self, name: str, request: web.Request) -> web.StreamResponse:
        if name == "dripping":
            return await self._drip(request, b" ", 0.05)
        if name == "endless":
            return await self._drip(request, b" " * 65536, 0.0)
        if name == "silent":
            await asyncio.sleep(3600)
        if name == "failing":
            return web.Response(status=503)
        if name == "redirecting":
            return web.Response(status=302, headers={"Location": f"{self.url}/pi-1{REPORT_PATH}"})
        if name == "zipped":
            return web.Response(body=ZIPPED, headers={"Content-Encoding": "gzip"})
        await asyncio.sleep(0)
        return web.Response(body=self.bodies[name])

    @staticmethod
    async def _drip(request: web.Request, piece: bytes, pause_seconds: float) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(piece)
            await asyncio.sleep(pause_seconds)

    def add(self, *reports: NodeReport) -> list[Address]:
        for one in reports:
            self.bodies[one.node] = as_sent(one)
        return [self.at(one.node) for one in reports]

    def at(self, path: str, name: str = "") -> Address:
        return Address(name or path, f"{self.url}/{path}")


@asynccontextmanager
async def agents() -> AsyncIterator[Agents]:
    served = Agents()
    app = web.Application()
    app.router.add_get("/{name}" + REPORT_PATH, served.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield served
    finally:
        await runner.cleanup()
