"""`python -m node_agent`, for where the command `tip-agent` is not installed."""

import sys

from node_agent.cli import main

sys.exit(main())
