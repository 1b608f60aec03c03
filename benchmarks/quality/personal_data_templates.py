"""The sentences of the labelled set, read from personal_data_templates.txt."""

from collections.abc import Iterator
from pathlib import Path

_FILE = Path(__file__).with_suffix(".txt")


def _sections() -> Iterator[tuple[str, list[str]]]:
    for block in _FILE.read_text(encoding="utf-8").split("\n== ")[1:]:
        title, *lines = block.strip().split("\n")
        yield title, [line.replace(" | ", "\n") for line in lines if line]


def _templates(sections: dict[str, list[str]]) -> dict[str, dict[str, list[str]]]:
    kinds: dict[str, dict[str, list[str]]] = {}
    for title, lines in sections.items():
        kind, _, part = title.rpartition(": ")
        if kind:
            kinds.setdefault(kind, {})[part] = lines
    return kinds


_SECTIONS = dict(_sections())
# Kind -> "training" or "held_out" -> templates: the agent's line first, a value in place of {}.
TEMPLATES = _templates(_SECTIONS)
FILLERS = _SECTIONS["fillers"]
# What looks personal and is not: money, amounts, times, products, names that are words.
DISTRACTORS = _SECTIONS["distractors"]
