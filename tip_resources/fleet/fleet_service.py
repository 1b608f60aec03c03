"""`python -m tip_resources.fleet.fleet_service`: the fleet watcher as a service of `tip up`.

Its log has a line for each change of a machine's state, never one for a poll.
"""

import argparse
import asyncio
import logging
import signal
import sys
import time
from pathlib import Path

from tip_resources.domain.failures import TransientFailure
from tip_resources.home import project_home
from tip_resources.launch.service_process import end_with_supervisor

_logger = logging.getLogger("tip.fleet")
_RETRY_SECONDS = 2.0


def main() -> None:
    """Watches until interrupted."""
    options = _options()
    if options.supervised:
        end_with_supervisor()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
    )
    try:
        asyncio.run(_watch(options.ready_file))
    except KeyboardInterrupt:
        return


async def _watch(ready_file: Path | None) -> None:
    from sqlalchemy import Engine

    from tip_resources.database.connection import database
    from tip_resources.fleet.watcher import FleetWatcher
    from tip_resources.settings.live import LiveSettings

    home = project_home()
    settings = LiveSettings(home)

    def opened() -> Engine:
        """A database that is away at the start is waited for, as it is later."""
        complaint = ""
        while True:
            try:
                engine = database(home)
                settings.current()
                return engine
            except TransientFailure as failure:
                if str(failure) != complaint:
                    _logger.warning("waiting for the database: %s", failure)
                complaint = str(failure)
                time.sleep(_RETRY_SECONDS)

    watcher = FleetWatcher(await asyncio.to_thread(opened), settings.current)
    await watcher.run((lambda: None) if ready_file is None else ready_file.touch)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tip_resources.fleet.fleet_service", description=__doc__)
    parser.add_argument("--ready-file", type=Path, help="Made when this machine's state was written.")
    parser.add_argument("--supervised", action="store_true", help="Stop when stdin closes.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
