"""`python -m tip_resources.llama.service ...`: llama-cpp-python's server, under a supervisor of ours.

It is the app of `python -m llama_cpp.server` with three changes. The list of models does not wait for the model,
which that server's own does, so that a busy endpoint is not taken for a dead one. A new request does not cut off the
one under way (its default). And when too many requests wait, the next gets 503 with Retry-After.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Sequence

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tip_resources.backpressure import Backpressure
from tip_resources.launch.service_process import end_with_supervisor
from tip_resources.llama.addresses import HOST

# One is answered, the others wait in the order they came; tip itself sends one at a time from each run.
MOST_REQUESTS = 16
_RETRY_AFTER_SECONDS = 5
_INSIST_SECONDS = 1.0
# A prompt that is being read cannot be interrupted.
_END_SECONDS = 8.0


class Front:
    """ASGI app before llama-cpp-python's: answers what must be answered while the model is busy.

    Args:
        app: llama-cpp-python's.
        name: Of the model.
        context_tokens: Its context window.
    """

    def __init__(self, app: ASGIApp, name: str, context_tokens: int) -> None:
        self._app = Backpressure(app, most_requests=MOST_REQUESTS, retry_after_seconds=_RETRY_AFTER_SECONDS)
        # `me` is what llama-cpp-python calls itself; clients know it by that.
        model = {"id": name, "object": "model", "owned_by": "me", "permissions": [], "n_ctx": context_tokens}
        self._pages = {"/v1/models": {"object": "list", "data": [model]}, "/health": {"status": "ok"}}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in self._pages:
            await JSONResponse(self._pages[scope["path"]])(scope, receive, send)
            return
        await self._app(scope, receive, send)


def main(arguments: Sequence[str]) -> None:
    """Loads the model and serves it until stdin closes."""
    options = _options(arguments)
    end_with_supervisor(insist_after_seconds=_INSIST_SECONDS)
    _end_for_sure()
    import uvicorn
    from llama_cpp.server.settings import ModelSettings, ServerSettings  # pyright: ignore[reportMissingImports]

    # Its settings also come from variables such as HOST, MODEL or API_KEY, which others mean otherwise.
    known = {*ServerSettings.model_fields, *ModelSettings.model_fields, "config_file"}
    for variable in [name for name in os.environ if name.lower() in known]:
        del os.environ[variable]
    from llama_cpp.server.app import create_app  # pyright: ignore[reportMissingImports]

    app = create_app(
        server_settings=ServerSettings(host=HOST, port=options.port, interrupt_requests=False),
        model_settings=[
            ModelSettings(
                model=options.model,
                model_alias=options.name,
                n_ctx=options.context,
                n_threads=options.threads,
                n_threads_batch=options.threads,
                # Locked pages could not be given back when another program needs memory.
                use_mlock=False,
            )
        ],
    )
    front = Front(app, options.name, options.context)
    uvicorn.run(front, host=HOST, port=options.port, log_level="warning", timeout_graceful_shutdown=1)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tip_resources.llama.service")
    parser.add_argument("--model", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    return parser.parse_args(arguments)


def _end_for_sure() -> None:
    """Ends this process some seconds after stdin closed, whatever llama.cpp is at then."""
    stdin = os.dup(sys.stdin.fileno())

    def watch() -> None:
        while os.read(stdin, 1024):
            pass
        time.sleep(_END_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="end-for-sure", daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1:])
