"""The pages of one server, as far as they can be had; what went wrong with the others is kept for whoever looks."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from node_agent.collectors.local_http import Answer, Trouble

# The server asks who is there, or is not ready: it may well serve models.
_TELLING_STATUSES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it wants a key, and the agent has none",
    HTTPStatus.FORBIDDEN: "it wants a key, and the agent has none",
    HTTPStatus.TOO_MANY_REQUESTS: "it is too busy to say",
    HTTPStatus.SERVICE_UNAVAILABLE: "it is not ready, or loads a model",
}


class Pages:
    """The pages of one server.

    A server that did not answer one page is asked for no more, so that a hanging one costs one wait.

    Args:
        get: Fetches a page.
        may_keep_awake: Whether pages may be asked for that keep a server from going to sleep when it is idle.
    """

    def __init__(self, get: Callable[[str], Answer], may_keep_awake: bool = True) -> None:
        self._get = get
        self._has_failed = False
        self.may_keep_awake = may_keep_awake
        self.troubles: list[str] = []

    def json_of_list(self, path: str) -> Any:
        """The page that every model server has; here an answer that is none is worth a word."""
        answer = self._answer(path)
        if answer is None or answer.content_type == "text/html":
            return None
        if answer.status in _TELLING_STATUSES:
            self.troubles.append(f"{path} gives status {answer.status}: {_TELLING_STATUSES[answer.status]}")
        elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.troubles.append(f"{path} gives status {answer.status}")
        return self._parsed(path, answer)

    def json(self, path: str) -> Any:
        """The page's document; None when it is not served."""
        answer = self._answer(path)
        return None if answer is None else self._parsed(path, answer)

    def text(self, path: str) -> str | None:
        """The page's text; None when it is not served."""
        answer = self._answer(path)
        return answer.body.decode("utf-8", "replace") if answer and answer.status == HTTPStatus.OK else None

    def _parsed(self, path: str, answer: Answer) -> Any:
        if answer.status != HTTPStatus.OK:
            return None
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            self.troubles.append(f"{path} is not JSON")
            return None

    def _answer(self, path: str) -> Answer | None:
        if self._has_failed:
            return None
        try:
            return self._get(path)
        except Trouble as trouble:
            self._has_failed = True
            self.troubles.append(str(trouble))
            return None
