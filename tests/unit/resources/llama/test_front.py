"""Promises of what stands before llama-cpp-python's app; a Starlette app of ours stands in for that here."""

import asyncio

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tip_resources.llama.service import MOST_REQUESTS, Front


def test_a_busy_model_is_listed_at_once_and_the_request_too_many_is_told_when_to_come_again() -> None:
    async def scenario() -> None:
        may_answer = asyncio.Event()
        arrived = 0

        async def chat(_: Request) -> Response:
            nonlocal arrived
            arrived += 1
            await may_answer.wait()
            return JSONResponse({"done": True})

        front = Front(Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])]), "tiny", 4096)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(front), base_url="http://model") as client:
            waiting = [asyncio.create_task(client.post("/v1/chat/completions")) for _ in range(MOST_REQUESTS)]
            while arrived < MOST_REQUESTS:
                await asyncio.sleep(0)
            refused = await client.post("/v1/chat/completions")
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "5"
            assert refused.json()["error"]["code"] == "overloaded"
            listed = (await client.get("/v1/models")).json()["data"]
            assert [(model["id"], model["n_ctx"]) for model in listed] == [("tiny", 4096)]
            may_answer.set()
            assert all(answer.json() == {"done": True} for answer in await asyncio.gather(*waiting))
            assert (await client.post("/v1/chat/completions")).status_code == 200

    asyncio.run(asyncio.wait_for(scenario(), 30))
