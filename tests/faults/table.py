"""The table of docs/reliability.md, written by the run that measured its cells: `pytest tests/faults --write-table`."""

from collections.abc import Iterable
from pathlib import Path

from tests.faults.cells import FAULTS, MOMENTS, OF_THE_DISK, OF_THE_MACHINE, OF_THE_NETWORK, OF_THE_SHARED_DISK, Cell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- cells -->", "<!-- end of cells -->"
_NOT_RUN, _NOTHING_THERE = "", "-"


def write_table(cells: Iterable[Cell], page: Path = PAGE) -> None:
    """Puts what became of these cells into the table; cells that were not run now stay as they are."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    table, after = rest.split(_END)
    known = _read(table) | {(cell.fault, cell.moment): _told(cell) for cell in cells}
    page.write_text(f"{before}{_BEGIN}\n{_table(known)}\n{_END}{after}", encoding="utf-8")


def _told(cell: Cell) -> str:
    if cell.is_whole():
        return f"{cell.answers_lost} · {cell.seconds:.0f} s"
    return f"**{cell.state}, {cell.exported} of {cell.asked}, {cell.half_files} half files, {cell.runs} runs**"


def _read(table: str) -> dict[tuple[str, str], str]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    if not rows:
        return {}
    moments = rows[0][1:]
    return {(row[0], moment): cell for row in rows[2:] for moment, cell in zip(moments, row[1:], strict=True)}


def _table(known: dict[tuple[str, str], str]) -> str:
    moments = [moment.name for moment in MOMENTS]
    lines = ["| | " + " | ".join(moments) + " |", "|---" * (len(moments) + 1) + "|"]
    for fault in (*FAULTS, *OF_THE_DISK, *OF_THE_SHARED_DISK, *OF_THE_NETWORK, *OF_THE_MACHINE):
        cells = [known.get((fault.name, moment), _NOT_RUN) for moment in moments]
        if fault.needs_run:
            cells[0] = _NOTHING_THERE
        lines.append(f"| {fault.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
