"""With `debug: true`: what the engine decides about each endpoint while calls are written, for the run's log."""

from collections.abc import Callable

from tip_assets.generation.write_calls import WritingProgress
from tip_resources.llm.endpoint_status import EndpointStatus


class DecisionLog:
    """Called for every event of the writing; says each change of an endpoint once, with its reason.

    Args:
        log: Takes one line.
        is_on: Whether anybody wants to know; asked each time, so that it can be switched while a set is written.
    """

    def __init__(self, log: Callable[[str], None], is_on: Callable[[], bool]) -> None:
        self._log, self._is_on = log, is_on
        self._said: dict[str, str] = {}

    def __call__(self, progress: WritingProgress) -> None:
        """Takes note of one moment."""
        if not self._is_on():
            return
        for endpoint in progress.endpoints:
            line = _decision(endpoint)
            if self._said.get(endpoint.name) != line:
                self._said[endpoint.name] = line
                self._log(f"{line}; {endpoint.in_flight} in flight")


def _decision(endpoint: EndpointStatus) -> str:
    standing = f"{endpoint.standing} ({endpoint.reason})" if endpoint.reason else endpoint.standing
    limit = f"at most {endpoint.limit} calls" + (f" ({endpoint.limit_reason})" if endpoint.limit_reason else "")
    return f"{endpoint.name}: {standing}, {limit}"
