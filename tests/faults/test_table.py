"""The table in the docs keeps what was measured before, and says plainly what was not whole."""

from dataclasses import replace
from pathlib import Path

from tests.faults.cells import COUNT, Cell
from tests.faults.table import write_table

WHOLE = Cell(
    fault="daemon",
    moment="half way",
    asked=COUNT,
    state="done",
    exported=COUNT,
    different=COUNT,
    half_files=0,
    runs=1,
    model_calls=COUNT + 2,
    answers_lost=2,
    seconds=21.4,
)


def test_cells_of_a_later_run_are_added(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- cells -->\n<!-- end of cells -->\n\nThe end.\n")
    write_table([WHOLE], page)
    write_table([replace(WHOLE, moment="planning", state="failed", exported=3)], page)
    text = page.read_text()
    assert text.startswith("# Title\n") and text.endswith("\nThe end.\n")
    (line,) = (line for line in text.splitlines() if line.startswith("| daemon |"))
    assert "2 · 21 s" in line and f"**failed, 3 of {COUNT}, 0 half files, 1 runs**" in line
    (step,) = (line for line in text.splitlines() if line.startswith("| step |"))
    assert step.startswith("| step | - |")
