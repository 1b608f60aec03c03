"""The main program of a run worker, and of a step where steps are not forked. Loads, then waits for its orders.

`python -m tip_resources.launch.worker`. Keep the module level light: every forked step imports it again.
"""

import argparse
import os
import sys
import traceback
from pathlib import Path

from tip_resources.launch.orders import wait_for_orders

WORKER_MODULE = "tip_resources.launch.worker"


def main() -> None:
    """Starts what loads for the steps first, so that it loads while this process loads the same for itself."""
    from tip_resources.launch.step_process import BEST_START_METHOD, prepare
    from tip_resources.launch.stopping import heed_interrupts, interrupt_when_asked

    options = _options()
    heed_interrupts()
    if options.warm:
        prepare(BEST_START_METHOD, Path.cwd(), options.warm.split(","), None)
    if options.stop_file:
        interrupt_when_asked(options.stop_file)
    if options.load:
        import tip_resources.launch.warm  # noqa: F401 - importing it is what loads
    from tip_resources.launch.run_work import work  # loaded while the orders are on their way

    code = 1
    try:
        work(wait_for_orders(sys.stdin.buffer))
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:  # noqa: BLE001 - printed as Python would, then the process ends
        traceback.print_exc()
    # At a normal end multiprocessing waits for all forked steps. A worker that was told to stop leaves them to its
    # successor, which begins when this process is gone.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {WORKER_MODULE}", description=__doc__)
    parser.add_argument("--run", help="The run worked on; for people who read the list of processes.")
    parser.add_argument("--home", help="The project folder; likewise.")
    parser.add_argument("--warm", default="", help="Modules to load for the steps, separated by commas.")
    parser.add_argument("--load", action="store_true", help="Load what the environment names (warm.py): a spare.")
    parser.add_argument("--stop-file", type=Path, help="Stop when this file appears.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
