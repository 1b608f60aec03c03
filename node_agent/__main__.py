"""`python -m node_agent`, for where the command `tip-agent` is not installed."""

import os
import sys
from pathlib import Path

from node_agent.cli import main

if sys.stderr is None:
    # pythonw on Windows has no console to write to; what is said there is lost, the exit status is not.
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
sys.exit(main())
