"""The comparison side by side: one row a figure, one column a variant; as text, as Markdown, as CSV rows."""

from collections.abc import Callable, Sequence

import msgspec

from tip_assets.experiments.measures import Measures, Scores
from tip_assets.experiments.results import Comparison, TrialResult
from tip_assets.experiments.variants import SCRIPTED_WARNING
from tip_assets.exports.csv_cells import Cell

_UNKNOWN = "-"
_WIDEST_NAME = 24


class Figure(msgspec.Struct, frozen=True):
    """One row: what it is called for people, its column in the CSV, how it is read, and its decimals."""

    label: str
    column: str
    read: Callable[[Measures], float | None]
    digits: int = 0
    is_share: bool = False


def _judged(read: Callable[[Scores], float | None]) -> Callable[[Measures], float | None]:
    return lambda measures: read(measures.judged) if measures.judged is not None else None


FIGURES: tuple[Figure, ...] = (
    Figure("calls asked", "asked", lambda m: m.asked),
    Figure("calls kept", "kept", lambda m: m.kept),
    Figure("answers rejected", "rejected", lambda m: sum(m.rejected.values())),
    Figure("kept at first attempt", "first_attempt_share", lambda m: m.first_attempt_share, 1, True),
    Figure("duplicates", "duplicate_share", lambda m: m.duplicate_share, 1, True),
    Figure("model calls", "model_calls", lambda m: m.model_calls),
    Figure("batch size", "batch_size", lambda m: m.batch_size),
    Figure("calls per model call", "calls_per_model_call", lambda m: m.calls_per_model_call, 2),
    Figure("tokens in per kept call", "tokens_in_per_kept", lambda m: m.tokens_in_per_kept),
    Figure("tokens out per kept call", "tokens_out_per_kept", lambda m: m.tokens_out_per_kept),
    Figure("seconds per kept call", "seconds_per_kept", lambda m: m.seconds_per_kept, 3),
    Figure("seconds in all", "seconds", lambda m: m.seconds, 1),
    Figure("first token p50, ms", "first_token_p50_ms", lambda m: m.first_token_p50_ms),
    Figure("first token p95, ms", "first_token_p95_ms", lambda m: m.first_token_p95_ms),
    Figure("answer p50, ms", "latency_p50_ms", lambda m: m.latency_p50_ms),
    Figure("answer p95, ms", "latency_p95_ms", lambda m: m.latency_p95_ms),
    Figure("realism, of 5", "realism", lambda m: m.local.realism, 2),
    Figure("coherence, of 5", "coherence", lambda m: m.local.coherence, 2),
    Figure("naturalness, of 5", "naturalness", lambda m: m.local.naturalness, 2),
    Figure("overall, of 5", "overall", lambda m: m.local.overall, 2),
    Figure("judge: realism, of 5", "judge_realism", _judged(lambda s: s.realism), 2),
    Figure("judge: coherence, of 5", "judge_coherence", _judged(lambda s: s.coherence), 2),
    Figure("judge: naturalness, of 5", "judge_naturalness", _judged(lambda s: s.naturalness), 2),
    Figure("judge: overall, of 5", "judge_overall", _judged(lambda s: s.overall), 2),
)


def shown(figure: Figure, measures: Measures | None) -> str:
    """A figure as people read it; unknown is a dash."""
    value = figure.read(measures) if measures is not None else None
    if value is None:
        return _UNKNOWN
    return f"{value * 100:.{figure.digits}f} %" if figure.is_share else f"{value:,.{figure.digits}f}"


def rows(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Label and one cell per variant, for every figure that some variant has."""
    trials = comparison.trials
    table: list[tuple[str, list[str]]] = [("status", [_status(trial) for trial in trials])]
    if any(trial.models for trial in trials):
        table.append(("model", [", ".join(trial.models) or _UNKNOWN for trial in trials]))
    for figure in FIGURES:
        cells = [shown(figure, trial.measures) for trial in trials]
        if any(cell != _UNKNOWN for cell in cells):
            table.append((figure.label, cells))
    return table


def remarks(comparison: Comparison) -> list[str]:
    """What the table cannot say: failures, rejects by reason, notes."""
    said = []
    for trial in comparison.trials:
        name = trial.variant.name
        if trial.status == "failed":
            said.append(f"{name}: not measured. {trial.reason}")
        if trial.measures and trial.measures.rejected:
            counts = ", ".join(f"{reason} {count}" for reason, count in trial.measures.rejected.items())
            said.append(f"{name}: rejected {counts}")
        if trial.measures and trial.measures.failures:
            counts = ", ".join(f"{kind} {count}" for kind, count in trial.measures.failures.items())
            said.append(f"{name}: failed model calls: {counts}")
        said += [f"{name}: {note}" for note in trial.notes if note != SCRIPTED_WARNING]
    return said


def text_table(comparison: Comparison) -> str:
    """The comparison for a terminal, ASCII only."""
    heads = [_cut(trial.variant.name) for trial in comparison.trials]
    table = [("", heads), *((label, [_cut(cell) for cell in cells]) for label, cells in rows(comparison))]
    first = max(len(label) for label, _ in table)
    widths = [max(len(cells[place]) for _, cells in table) for place in range(len(heads))]
    lines = [_line(label.ljust(first), cells, widths) for label, cells in table]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines).encode("ascii", "replace").decode()


def markdown_table(comparison: Comparison) -> str:
    """The comparison as Markdown, with what is to be said about it."""
    heads = [trial.variant.name for trial in comparison.trials]
    lines = [f"| | {' | '.join(map(_cell, heads))} |", f"|---|{'---:|' * len(heads)}"]
    lines += [f"| {label} | {' | '.join(map(_cell, cells))} |" for label, cells in rows(comparison)]
    warning = [f"**{SCRIPTED_WARNING}**", ""] if comparison.is_scripted else []
    after = ["", *(f"- {_cell(remark)}" for remark in remarks(comparison))]
    return "\n".join([*warning, *lines, *after])


def records(comparison: Comparison) -> list[dict[str, Cell]]:
    """One flat record per variant, unrounded, unknown empty."""
    return [
        {
            "variant": trial.variant.name,
            "status": trial.status,
            "scripted": str(trial.scripted).lower(),
            "mode": trial.variant.mode,
            "models": " ".join(trial.models),
            "endpoints": " ".join(trial.endpoints),
            **{figure.column: figure.read(trial.measures) if trial.measures else None for figure in FIGURES},
            "reason": trial.reason,
        }
        for trial in comparison.trials
    ]


def _status(trial: TrialResult) -> str:
    if trial.status == "failed":
        return "NOT MEASURED"
    return "kept earlier" if trial.from_earlier_run else "done"


def _line(label: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join([label, *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_NAME else f"{text[: _WIDEST_NAME - 3]}..."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
