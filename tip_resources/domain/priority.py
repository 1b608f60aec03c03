"""How soon a data set is made beside others: its place in the queue, and its part of model servers that are shared."""

from typing import Literal

Priority = Literal["low", "normal", "high"]

# Dagster's own tag (run queue: https://docs.dagster.io/deployment/execution/customizing-run-queue-priority); a higher
# number leaves the queue first, and those of one number in the order in which they came.
PRIORITY_TAG = "dagster/priority"
QUEUE_PRIORITY: dict[Priority, int] = {"low": -10, "normal": 0, "high": 10}

# Parts of a shared model server: beside a normal set, one of high priority has twice its calls at once.
SHARE_WEIGHT: dict[Priority, int] = {"low": 1, "normal": 2, "high": 4}
