"""Stands in for a model server, in a process that can be killed: `python -m tests.faults.model_server_double --port N`.

The rehearsal server under another model's name, so that a data set waits for it, as for LM Studio, instead of starting
one of its own. No language model.
"""

import argparse
import json

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tip_resources.rehearsal.connections import Connections
from tip_resources.rehearsal.knobs import MODEL as REHEARSAL
from tip_resources.rehearsal.knobs import RehearsalKnobs
from tip_resources.rehearsal.server import create_app

MODEL = "model-server-double"


class UnderAnotherName:
    """The rehearsal server, which knows one model's name, asked under ours."""

    def __init__(self, rehearsal: ASGIApp) -> None:
        self._rehearsal = rehearsal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on, with the model's name in a request's body replaced."""
        ours, theirs = (json.dumps(name).encode() for name in (MODEL, REHEARSAL))

        async def renamed() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                body = message.get("body", b"")
                while message.get("more_body"):
                    message = await receive()
                    body += message.get("body", b"")
                message = {"type": "http.request", "body": body.replace(ours, theirs), "more_body": False}
            return message

        headers = [(name, value) for name, value in scope.get("headers", []) if name != b"content-length"]
        await self._rehearsal({**scope, "headers": headers}, renamed, send)


async def models(_: Request) -> Response:
    """One model, which is not called rehearsal."""
    return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "tests"}]})


def main() -> None:
    """Serves until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tokens-per-second", type=float, required=True, help="of one answer written alone")
    arguments = parser.parse_args()
    connections = Connections()
    rehearsal = create_app(RehearsalKnobs(tokens_per_second=arguments.tokens_per_second), connections)
    app = Starlette(routes=[Route("/v1/models", models), Mount("/", UnderAnotherName(rehearsal))])
    uvicorn.run(
        app,
        host=arguments.host,
        port=arguments.port,
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
