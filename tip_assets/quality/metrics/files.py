"""The metrics of a set as files: metrics.json, metrics.csv and metrics.html, each whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tip_assets.exports.csv_cells import csv_rows
from tip_assets.quality.metrics.analysis import Analysis
from tip_assets.quality.metrics.page import render_page
from tip_resources.domain.codec import to_builtins, to_json
from tip_resources.domain.set_metric import SetMetric
from tip_resources.storage.atomic import write_atomically

FILE_NAMES = ("metrics.json", "metrics.csv", "metrics.html")


def analysis_document(title: str, found: Analysis, more: Mapping[str, Any]) -> dict[str, Any]:
    """The analysis for machines, with what the caller adds."""
    return {"set": title, **to_builtins(found), "style_distance": found.style_distance, **more}


def write_analysis(folder: Path, title: str, found: Analysis, more: Mapping[str, Any]) -> None:
    """Writes all three files into `folder`, which is made."""
    rows = [SetMetric.__struct_fields__, *(to_builtins(metric).values() for metric in found.metrics)]
    write_atomically(folder / FILE_NAMES[0], to_json(analysis_document(title, found, more)) + b"\n")
    write_atomically(folder / FILE_NAMES[1], csv_rows(rows))
    write_atomically(folder / FILE_NAMES[2], render_page(title, found))
