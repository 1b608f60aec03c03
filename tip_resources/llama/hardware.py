"""Measures what llama.cpp's options are chosen from. Reads only."""

import psutil

from tip_resources.llama.options import Hardware


def measured_hardware() -> Hardware:
    """This machine now. Where the system does not tell its physical cores, the logical ones count."""
    memory = psutil.virtual_memory()
    return Hardware(
        physical_cores=psutil.cpu_count(logical=False) or psutil.cpu_count() or 1,
        total_bytes=memory.total,
        available_bytes=memory.available,
    )
