"""The generated parts of the pages in docs/: where they stand, what stands there, and whether it is stale.

A generated part lies between `<!-- generated: NAME -->` and `<!-- end of generated -->`; what stands around it is
written by people. `make docs` writes all of them anew. What they say is made in the other modules of this room.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tip_assets.pages.column_tables import column_tables
from tip_assets.pages.command_reference import command_reference
from tip_assets.pages.mission_numbers import mission_table
from tip_assets.pages.settings_tables import entry_tables, settings_tables
from tip_resources.domain.failures import BadInput

DOCS = Path(__file__).resolve().parents[2] / "docs"

BLOCKS: Mapping[str, Callable[[], str]] = {
    "settings": settings_tables,
    "settings entries": entry_tables,
    "mission numbers": mission_table,
    "commands": command_reference,
    "columns": column_tables,
}

_BLOCK = re.compile(r"<!-- generated: (?P<name>[a-z ]+) -->\n.*?<!-- end of generated -->", re.DOTALL)


def renewed(text: str, where: str) -> str:
    """The page with every generated part as it should be now.

    Raises:
        BadInput: A part has a name that nothing makes.
    """

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in BLOCKS:
            raise BadInput(f"nothing makes the part {name!r}.", where=where, mend=f"There are: {', '.join(BLOCKS)}.")
        return f"<!-- generated: {name} -->\n{BLOCKS[name]().strip()}\n<!-- end of generated -->"

    return _BLOCK.sub(block, text)


def stale_pages(folder: Path = DOCS) -> dict[Path, str]:
    """The pages whose generated parts are not as they should be, each with what it should be."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    new = {path: renewed(text, path.name) for path, text in pages.items()}
    return {path: new[path] for path, text in pages.items() if new[path] != text}


def write_pages(folder: Path = DOCS) -> list[Path]:
    """Writes the stale pages anew and returns them."""
    stale = stale_pages(folder)
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(stale)
