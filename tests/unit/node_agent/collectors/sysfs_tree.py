"""Writes trees of files as kernels show them under /sys."""

from collections.abc import Mapping
from pathlib import Path


def write_tree(root: Path, files: Mapping[str, str | int]) -> Path:
    """Creates or replaces the files, each with the newline that the kernel ends its values with; gives the root."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return root
