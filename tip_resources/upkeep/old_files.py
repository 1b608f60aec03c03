"""What of the files under `.tip/` is forgotten: logs, working files of killed runs, parts of finished data sets.

Sets, exports, answers of judges, experiments and rounds of feedback are never touched here. What belongs to a run or
a data set under way stays, however old it looks.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy import Engine, text
from upath import UPath

from tip_resources.domain.codec import from_json
from tip_resources.settings.upkeep_models import RetentionSettings
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import object_exists, read_object, remove_tree, sizes_under
from tip_resources.storage.places import is_local
from tip_resources.upkeep.chores import Amount, Chore
from tip_resources.upkeep.dagster_history import runs_under_way

_DAY_SECONDS = 86_400.0
# Folders on their way out. No data set has such a name, so nobody takes them for parts.
_GONE = ".gone-"

_DONE = """
SELECT dataset, spec->>'count' AS asked FROM tip.dataset_requests
WHERE state = 'done' AND updated_at < now() - make_interval(days => :days) ORDER BY dataset"""


class _Exported(msgspec.Struct, frozen=True):
    """What counts here of the summary of a data set's report."""

    exported: int = 0


@dataclass(frozen=True)
class _Folders:
    """Where old things lie; `runs` tells the ids of runs under way."""

    state: Path
    runs: Callable[[], frozenset[str]]


def file_chores(engine: Engine, home: Path, layout: Layout, retention: RetentionSettings) -> tuple[Chore, ...]:
    """What of the files grows old."""
    folders = _Folders(home / ".tip", partial(runs_under_way, engine))
    state = folders.state

    def of_runs(name: str, setting: str, *places: Path, pattern: str = "*") -> Chore:
        days = getattr(retention, setting)
        old = partial(_old_entries, folders, places, pattern, days)
        return Chore(name, "folder" if pattern == "*" else "file", setting, days, partial(_sum, old), partial(_go, old))

    parts_days = retention.parts_days
    sets = (Path(layout.sets.path),) if is_local(layout.sets) else ()
    parts = partial(_finished_parts, engine, layout, parts_days)
    return (
        Chore(
            "parts of exported data sets",
            "data set",
            "parts_days",
            parts_days,
            lambda: sum((Amount(1, _tree_size(folder)) for _, folder in parts()), Amount()),
            lambda: _remove_parts(engine, layout, parts),
        ),
        of_runs("printed output of steps", "compute_logs_days", state / "compute_logs"),
        of_runs("values between ops", "run_details_days", state / "between_ops"),
        of_runs("working files of killed runs", "scratch_days", state / "scratch"),
        of_runs("half-written files of killed steps", "scratch_days", *sets, pattern="*/.*.tmp"),
        of_runs("logs of run workers", "logs_days", state / "logs" / "runs", pattern="*.log"),
        of_runs("logs of services", "logs_days", state / "logs", pattern="*.old.log"),
    )


def _old_entries(folders: _Folders, places: tuple[Path, ...], pattern: str, days: int) -> Iterator[Path]:
    """Entries named after runs that have ended, or never were, and that nobody has written to for so long."""
    under_way, before = folders.runs(), time.time() - days * _DAY_SECONDS
    for place in places:
        for entry in sorted(place.glob(pattern)) if place.is_dir() else ():
            if entry.stem not in under_way and entry.name not in under_way and _newest(entry) < before:
                yield entry


def _newest(entry: Path) -> float:
    """When anything in it was written last; a file that goes meanwhile says nothing."""
    newest = 0.0
    for path in (entry, *entry.rglob("*")):
        try:
            newest = max(newest, path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return newest


def _size(entry: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return entry.stat().st_size if entry.is_file() else _tree_size(UPath(entry))


def _tree_size(folder: UPath) -> int:
    """Bytes of all files of a folder, here or in S3."""
    return sum(sizes_under(folder).values())


def _sum(old: Callable[[], Iterator[Path]]) -> Amount:
    return sum((Amount(1, _size(entry)) for entry in old()), Amount())


def _go(old: Callable[[], Iterator[Path]]) -> Iterator[Amount]:
    for entry in old():
        size = _size(entry)
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
        yield Amount(1, size)


def _finished_parts(engine: Engine, layout: Layout, days: int) -> Iterator[tuple[str, UPath]]:
    """Names and parts of data sets that are done, exported as asked, long ago. Of a set that came out short the parts
    stay: asked for again, it goes on from them."""
    with engine.connect() as connection:
        rows = connection.execute(text(_DONE), {"days": days}).all()
    for dataset, asked in rows:
        folder = layout.parts(dataset)
        summary = layout.exports(dataset, "report") / "summary.json"
        if not folder.exists() or not object_exists(summary):
            continue
        if from_json(read_object(summary), _Exported, where=str(summary)).exported >= int(asked):
            yield dataset, folder


def _remove_parts(
    engine: Engine, layout: Layout, finished: Callable[[], Iterator[tuple[str, UPath]]]
) -> Iterator[Amount]:
    yield from _remove_gone(layout)
    for dataset, folder in finished():
        if dataset in runs_under_way(engine):
            continue
        size = _tree_size(folder)
        if not is_local(folder):
            remove_tree(folder)
        elif not _set_aside(engine, dataset, Path(folder.path)):
            continue
        yield Amount(1, size)
    for _ in _remove_gone(layout):
        pass


def _set_aside(engine: Engine, dataset: str, folder: Path) -> bool:
    """Out of the way in one step; back again when a run of the data set began that moment."""
    aside = folder.with_name(f"{_GONE}{dataset}")
    folder.rename(aside)
    if dataset in runs_under_way(engine) and not folder.exists():
        aside.rename(folder)
        return False
    return True


def _remove_gone(layout: Layout) -> Iterator[Amount]:
    """Folders that were set aside, those of a clean-up that was killed among them."""
    root = layout.root / "parts"
    if not is_local(root):
        return
    for gone in sorted(Path(root.path).glob(f"{_GONE}*")):
        size = _size(gone)
        shutil.rmtree(gone, ignore_errors=True)
        yield Amount(1, size)
