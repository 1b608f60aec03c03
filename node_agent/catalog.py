"""All collectors of the agent, by name; each is imported by its own thread when it first measures."""

import importlib
from typing import Any

# Until a collector is loaded nobody knows its own limit: importing may take a few seconds on a small board.
_LOADING_SECONDS = 10.0
COLLECTORS = {
    "host": "node_agent.collectors.host:HostCollector",
    "thermal": "node_agent.collectors.thermal:ThermalCollector",
    "gpus": "node_agent.collectors.gpus:GpuCollector",
    "activity": "node_agent.collectors.activity:ActivityCollector",
    "endpoints": "node_agent.collectors.endpoints:EndpointsCollector",
}


class LazyCollector:
    """A collector that is imported and made at its first measurement.

    A library that is missing or hangs while it loads is so the failure of this collector, not of the agent.

    Args:
        name: The section it fills.
        target: Where it is, `module:Class`.
        options: For its constructor.
    """

    def __init__(self, name: str, target: str, **options: Any) -> None:
        self.name = name
        self.timeout_seconds = _LOADING_SECONDS
        self._target, self._options = target, options
        self._collector: Any = None

    def collect(self) -> Any:
        """The section, from the collector itself."""
        if self._collector is None:
            module, _, class_name = self._target.partition(":")
            self._collector = getattr(importlib.import_module(module), class_name)(**self._options)
            self.timeout_seconds = self._collector.timeout_seconds
        return self._collector.collect()


def collectors(names: tuple[str, ...] = tuple(COLLECTORS), **options: dict[str, Any]) -> list[LazyCollector]:
    """The collectors of these names, in the order of the report.

    Args:
        names: Of `COLLECTORS`.
        options: Constructor arguments, by the collector's name.
    """
    return [
        LazyCollector(name, target, **options.get(name, {})) for name, target in COLLECTORS.items() if name in names
    ]
