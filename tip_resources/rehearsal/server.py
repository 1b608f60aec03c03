"""The rehearsal server's routes. Scripted calls over the OpenAI protocol; not a language model."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tip_resources.backpressure import MOST_REQUESTS, Backpressure
from tip_resources.rehearsal.chat import ChatCompletions
from tip_resources.rehearsal.connections import Connections
from tip_resources.rehearsal.knobs import MODEL, RehearsalKnobs
from tip_resources.rehearsal.requests import check_key
from tip_resources.rehearsal.stats import Stats
from tip_resources.rehearsal.wire import ApiError


def create_app(
    knobs: RehearsalKnobs | None = None, connections: Connections | None = None, *, most_requests: int = MOST_REQUESTS
) -> Starlette:
    """The server as an ASGI app.

    Args:
        knobs: How it behaves; the defaults add no delay and no fault.
        connections: Of the uvicorn server that runs it; only the reset faults need it.
        most_requests: Chat requests inside at once, those that wait for a slot included; one more gets 503.
    """
    knobs = knobs or RehearsalKnobs()
    stats = Stats()

    async def models(request: Request) -> Response:
        check_key(request.headers, knobs)
        model = {
            "id": MODEL,
            "object": "model",
            "created": 0,
            "owned_by": "tip",
            "max_model_len": knobs.context_tokens,
            "context_length": knobs.context_tokens,
        }
        return JSONResponse({"object": "list", "data": [model]})

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "scripted": True})

    async def counts(_: Request) -> Response:
        return JSONResponse(stats.document())

    chat = ChatCompletions(knobs, stats, connections or Connections())
    return Starlette(
        routes=[
            Route("/v1/chat/completions", Backpressure(chat, most_requests=most_requests), methods=["POST"]),
            Route("/v1/models", models),
            Route("/health", health),
            Route("/rehearsal/stats", counts),
        ],
        exception_handlers={ApiError: _error},
    )


async def _error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.document, status_code=error.status, headers=error.headers)
