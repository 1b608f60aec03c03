"""`tip nodes` as text: a table that fits the terminal, with lines below a machine for what needs words. Pure, ASCII."""

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from tip_assets.cli.nodes_facts import FleetFacts, NodeLine
from tip_resources.database.found_nodes import FoundNode
from tip_resources.fleet.heat import in_words
from tip_resources.settings.fleet_models import is_node_name

_WIDE, _LEAST = 116, 78
_NARROW_NAME, _WIDE_NAME = 16, 28
_INDENT = "    "
_GATE_SECONDS = 60.0  # looks come every few seconds
# What may be pasted into a shell: a hint comes from anybody in the network.
_SAFE_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")

_Cell = Callable[[NodeLine, datetime], str]
_UNKNOWN = "?"
_UNWATCHED = "Nobody watches the fleet: this machine was measured just now, others are not asked. `tip up` watches."


def table(facts: FleetFacts, width: int) -> str:
    """The fleet for a person, in lines of at most `width` characters (78 at least)."""
    width = max(_LEAST, width)
    lines = list(_rows(facts, width))
    lines += _footer(facts, width)
    return "\n".join(line.rstrip() for line in lines)


def plain(text: str) -> str:
    """Any text in one line that no terminal stumbles over: what others sent may hold anything."""
    words = " ".join(text.split())
    return "".join(one if one.isascii() and one.isprintable() else ascii(one)[1:-1] for one in words)


def _rows(facts: FleetFacts, width: int) -> Iterator[str]:
    is_wide = width >= _WIDE
    longest = max(len(line.node) + line.is_this_machine for line in facts.nodes)
    name_width = min(max(4, longest), _WIDE_NAME if is_wide else _NARROW_NAME)
    yield f"{'NODE':<{name_width}} {'STATE':<9} {_numbers(_heads(is_wide))}{' SERVES' if is_wide else ''}"
    for line in facts.nodes:
        cells = [cell(line, facts.at) for cell in _CELLS + (_WORK_CELLS if is_wide else ())]
        row = f"{_cut(_marked(line), name_width):<{name_width}} {line.status:<9} {_numbers(cells)}"
        yield f"{row} {_cut(_models(line), width - len(row) - 1)}" if is_wide else row
        for words in _words(line, is_wide):
            yield from textwrap.wrap(plain(words), width, initial_indent=_INDENT, subsequent_indent=_INDENT + "  ")


def _heads(is_wide: bool) -> Sequence[str]:
    return _HEADS + (_WORK_HEADS if is_wide else ())


def _numbers(cells: Sequence[str]) -> str:
    return " ".join(f"{cell:>{size}}" for cell, size in zip(cells, _SIZES, strict=False))


def _marked(line: NodeLine) -> str:
    return f"{line.node}*" if line.is_this_machine else line.node


def _cut(text: str, width: int) -> str:
    text = plain(text)
    return text if len(text) <= width else text[: max(0, width - 2)] + ".."


def _for(line: NodeLine, at: datetime) -> str:
    return _UNKNOWN if line.since is None else in_words(max(0.0, (at - line.since).total_seconds()))


def _celsius(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.0f}"


def _gpu(line: NodeLine, value: str) -> str:
    return "-" if line.has_gpu is False else value


def _percent(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.0%}"


def _count(value: int | None) -> str:
    return _UNKNOWN if value is None else str(value)


def _failed(line: NodeLine) -> str:
    return "-" if line.error_rate is None else f"{line.error_rate:.1%}"


_HEADS = ("FOR", "CPU C", "GPU C", "CPU", "GPU", "SLOTS", "CALLS", "STEPS")
_SIZES = (7, 5, 5, 5, 5, 5, 5, 5, 7, 7)
_CELLS: tuple[_Cell, ...] = (
    _for,
    lambda line, _: _celsius(line.cpu_celsius),
    lambda line, _: _gpu(line, _celsius(line.gpu_celsius)),
    lambda line, _: _percent(line.cpu_ratio),
    lambda line, _: _gpu(line, _percent(line.gpu_ratio)),
    lambda line, _: f"{line.slots_used}/{line.slots}",
    lambda line, _: _count(line.calls_in_flight),
    lambda line, _: _count(line.steps_running),
)
_WORK_HEADS = ("TOK/S", "FAILED")
_WORK_CELLS: tuple[_Cell, ...] = (
    lambda line, _: "-" if line.tokens_per_second is None else f"{line.tokens_per_second:.1f}",
    lambda line, _: _failed(line),
)


def _models(line: NodeLine) -> str:
    return ", ".join(dict.fromkeys(model for one in line.endpoints for model in one.models))


def _words(line: NodeLine, is_wide: bool) -> Iterator[str]:
    """What the row has no room for. A machine that is ready and well known needs no words."""
    is_known = line.cpu_celsius is not None and (line.gpu_celsius is not None or line.has_gpu is False)
    if line.reason and (line.status != "ready" or not is_known):
        yield line.reason
    if not is_wide and (models := _models(line)):
        yield f"serves {models}"
    if not is_wide and line.work is not None and line.work.calls:
        speed = "" if line.tokens_per_second is None else f" at {line.tokens_per_second:.1f} tokens/s"
        yield f"{line.work.calls:,} calls in {line.work_hours} h{speed}, {_failed(line)} failed"
    for note in line.notes:
        yield f"note: {note}"


def _footer(facts: FleetFacts, width: int) -> Iterator[str]:
    yield ""
    marks = ["* this machine"]
    if any(line.cpu_celsius is None or line.since is None for line in facts.nodes):
        marks.append("? unknown: `tip nodes show NODE` says why")
    yield "   ".join(marks)
    if facts.trouble:
        words = f"The database cannot be asked, so only this machine is known: {facts.trouble}"
        yield from _wrapped(words, width)
        return
    if not facts.is_watched:
        yield from _wrapped(_UNWATCHED, width)
    if facts.gate is not None and facts.is_watched:
        age = (facts.at - facts.gate.decided_at).total_seconds()
        old = f" (as of {in_words(age)} ago: nothing decides now)" if age > _GATE_SECONDS else ""
        yield from _wrapped(f"Runs: {facts.gate.reason}{old}", width)
    yield from _hints(facts.found, width)


def _hints(found: Sequence[FoundNode], width: int) -> Iterator[str]:
    if not found:
        return
    yield from _wrapped("Seen on the network and not invited (anybody can announce anything):", width)
    for hint in found:
        if is_node_name(hint.name) and _SAFE_URL.fullmatch(hint.url):
            yield f"{_INDENT}tip nodes invite {hint.name} {hint.url}"
        else:
            yield from _wrapped(f"{_INDENT}a name or address that no machine has: {_cut(hint.name, 60)}", width)


def _wrapped(text: str, width: int) -> list[str]:
    indent = _INDENT if text.startswith(_INDENT) else ""
    return textwrap.wrap(plain(text), width, initial_indent=indent, subsequent_indent=indent + "  ")
