"""make_dataset as it is, with a hook that writes down what each step's process has taken."""

import json
import os
import resource
import time
from typing import Any

import dagster as dg

from tip_assets.definitions import build_definitions
from tip_assets.generation.peak_memory import peak_memory_mb
from tip_assets.jobs import MAKE_DATASET

MEASURES_FILE = "TIP_SCALE_MEASURES"


@dg.success_hook
def measure_step(context: dg.HookContext) -> None:
    """In the step's own process, after its last output was stored. Children: the rehearsal server."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = {
        "run": context.run_id,
        "step": context.step_key,
        "cpu_seconds": time.process_time(),
        "peak_mb": peak_memory_mb(),
        "children_cpu_seconds": children.ru_utime + children.ru_stime,
    }
    with open(os.environ[MEASURES_FILE], "a", encoding="utf-8") as file:  # noqa: PTH123 -- appending a line at once
        file.write(json.dumps(line) + "\n")


def measured_make_dataset() -> Any:
    """For `dagster.reconstructable`."""
    return build_definitions().resolve_job_def(MAKE_DATASET).with_hooks({measure_step})
