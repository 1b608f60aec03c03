"""Heat and power of Apple silicon as macmon (github.com/vladkens/macmon) measures them, without root.

macOS itself tells only root. The graphics part of the answer is read in gpus_apple.
"""

from collections.abc import Mapping
from typing import Any

from node_agent.collectors.asking import NotInstalled, Runner, Unanswered, as_number, get_json, parse_json, run_program
from node_agent.collectors.base import NoData
from node_agent.collectors.temperatures import Measured
from node_agent.report import ThrottleReason

_URL = "http://127.0.0.1:9090/json"
_HTTP_TIMEOUT_SECONDS, _PIPE_TIMEOUT_SECONDS = 1.0, 4.0
_INSTALL = "install it with `brew install macmon` and start `macmon serve --host 127.0.0.1`"


class Macmon:
    """One measurement, from `macmon serve` where it runs, else by starting `macmon pipe` for one sample."""

    def __init__(self, url: str = _URL, run: Runner = run_program) -> None:
        self._url = url
        self._run = run

    def snapshot(self) -> Mapping[str, Any]:
        """Its JSON document.

        Raises:
            NoData: macmon is not installed, or gives none.
        """
        try:
            return _checked(get_json(self._url, _HTTP_TIMEOUT_SECONDS), self._url)
        except Unanswered:
            # Nobody there, not sampled yet (503), or somebody else on Prometheus' port: the program itself knows.
            pass
        try:
            line = self._run(("macmon", "pipe", "-s", "1"), _PIPE_TIMEOUT_SECONDS)
            return _checked(parse_json(line, "macmon pipe"), "macmon pipe")
        except NotInstalled as error:
            raise NoData(f"no macmon at {self._url}, and {error}; {_INSTALL}") from error
        except Unanswered as error:
            raise NoData(f"no macmon at {self._url}, and {error}") from error


class AppleHeat:
    """The processor's temperature: macmon's average over its sensors."""

    def __init__(self, macmon: Macmon | None = None) -> None:
        self._macmon = macmon or Macmon()

    def temperatures(self) -> list[Measured]:
        """One value for all cores.

        Raises:
            NoData: No macmon.
        """
        celsius = number(self._macmon.snapshot(), "temp", "cpu_temp_avg")
        why = "macmon gives no processor temperature"
        # 0 is macmon's word for a chip whose sensors it does not know (its issues 12, 50).
        return [Measured("macmon", "cpu_temp_avg", celsius or None, is_processor=True, why_unknown=why)]

    def throttled(self) -> tuple[ThrottleReason, ...]:
        """Nothing: macmon does not tell."""
        return ()


def number(document: Any, *path: str | int) -> float | None:
    """The number at a path of names and positions, or None where there is none."""
    for step in path:
        if isinstance(step, str) and isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(step, int) and isinstance(document, list) and step < len(document):
            document = document[step]
        else:
            return None
    return as_number(document)


def _checked(document: Any, source: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping) or "temp" not in document:
        raise Unanswered(f"{source} gave no measurement of macmon")
    return document
