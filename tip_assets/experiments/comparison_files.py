"""The comparison as files: results.json, results.csv and results.html in the experiment's folder."""

from pathlib import Path
from typing import Any

from tip_assets.experiments.comparison_page import comparison_page
from tip_assets.experiments.comparison_table import records
from tip_assets.experiments.results import Comparison
from tip_assets.experiments.variants import SCRIPTED_WARNING
from tip_assets.exports.csv_cells import csv_rows
from tip_resources.domain.codec import to_builtins, to_json
from tip_resources.storage.atomic import write_atomically


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """The comparison for machines."""
    experiment = comparison.experiment
    return {
        "kind": experiment.kind,
        "title": experiment.title,
        "scripted": comparison.is_scripted,
        "warning": SCRIPTED_WARNING if comparison.is_scripted else None,
        "spec": to_builtins(experiment.spec),
        "system": to_builtins(comparison.system),
        "trials": to_builtins(comparison.trials),
    }


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Writes all three files, each whole or not at all."""
    write_atomically(folder / "results.json", to_json(comparison_document(comparison)))
    write_atomically(folder / "results.csv", _csv(comparison))
    write_atomically(folder / "results.html", comparison_page(comparison))


def _csv(comparison: Comparison) -> bytes:
    table = records(comparison)
    return csv_rows([list(table[0]), *(record.values() for record in table)])
