"""The node agent of a machine on which a game runs while a file says so: its real server, with a collector of ours.

Prints its address, and ends when its stdin closes. game_to_drain.py starts it.

    python -m benchmarks.fleet.gaming_agent FOLDER NODE EVERY_SECONDS
"""

import sys
import threading
import time
from pathlib import Path

from node_agent.collectors.host import HostCollector
from node_agent.connections import Bounds
from node_agent.listening import listening_socket, url_of
from node_agent.report import Activity, Reading, Sign
from node_agent.reporter import Reporter
from node_agent.server import create_app, http_server

_CONNECTIONS = 32
_NO = Sign(False)


class GameOfFile:
    """The section `activity`: a game runs while the file `gaming` is there. When it first saw one it notes the time in
    the file `seen`, in seconds since 1970."""

    name = "activity"
    timeout_seconds = 1.0

    def __init__(self, folder: Path) -> None:
        self._gaming, self._seen = folder / "gaming", folder / "seen"

    def collect(self) -> Activity:
        """Whether a game runs now."""
        is_gaming = self._gaming.exists()
        if is_gaming and not self._seen.exists():
            self._seen.write_text(str(time.time()))
        return Activity(Sign(is_gaming), _NO, _NO, _NO, Reading(0.0 if is_gaming else 3600.0))


def main(folder: str, node: str, every_seconds: str) -> None:
    reporter = Reporter([HostCollector(), GameOfFile(Path(folder))], node=node, keep_seconds=float(every_seconds))
    server = http_server(create_app(reporter), Bounds(connections=_CONNECTIONS))

    def end_with_stdin() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=end_with_stdin, daemon=True).start()
    with listening_socket("127.0.0.1", 0) as opened:
        print(url_of(opened), flush=True)
        server.run(sockets=[opened])


if __name__ == "__main__":
    main(*sys.argv[1:])
