"""`tip dedupe`: a JSONL file without the calls that repeat another."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec
from tqdm import tqdm

from tip_assets.cli.console import json_option, progress_bar, reports_failures
from tip_assets.cli.stage_files import FILE, StageCalls, check_files, input_argument, output_argument
from tip_assets.quality.json_report import writing_report
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.jsonl import writing_jsonl

if TYPE_CHECKING:
    from tip_assets.quality.duplicates.comparison import Comparison, Keep
    from tip_assets.quality.duplicates.earlier_calls import EarlierCalls
    from tip_assets.quality.duplicates.removed import RemovedCall
    from tip_assets.quality.duplicates.semantic_tier import SemanticTier
    from tip_resources.settings.models import QualitySettings

_LEVELS = ("exact", "near", "semantic")


class _Methods(click.ParamType):
    """Names with commas between them; each level includes the ones before it."""

    name = "LIST"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[str]:
        named = frozenset(part.strip() for part in str(value).split(",") if part.strip())
        if unknown := sorted(named - set(_LEVELS)):
            self.fail(f"there is no method {', '.join(unknown)}; there are {', '.join(_LEVELS)}.", param, ctx)
        if not named:
            self.fail(f"name at least one of {', '.join(_LEVELS)}.", param, ctx)
        return named


@click.command("dedupe")
@input_argument
@output_argument
@click.option(
    "--methods",
    type=_Methods(),
    default="exact,near",
    show_default=True,
    help="How calls are compared, each level with those before it. exact: the same text, or the same letters whatever "
    "their case, punctuation and spacing. near: most words the same, also when only names and numbers differ. "
    "semantic: the same in other words; by which vectors, and whose meaning is compared, is in the settings "
    "quality.semantic, quality.semantic_vectors and quality.semantic_pairs.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0.0, 1.0),
    help="From how much likeness by words on a call repeats another: 0.9 removes less, 0.5 more. Without it, as "
    "quality.near_duplicate_threshold says.",
)
@click.option(
    "--keep",
    type=click.Choice(["best", "first"]),
    default="best",
    show_default=True,
    help="Which of several alike stays. best: the highest annotations.grade.overall (as `tip grade` writes it), then "
    "the first; calls without a grade come last. first: the first in the file; reads the file once.",
)
@click.option(
    "--against",
    type=FILE,
    multiple=True,
    metavar="OTHER.jsonl",
    help="Calls that were delivered before: what repeats one of them is removed. May be given several times.",
)
@click.option("--report", type=FILE, help="Write what was removed, and why, to this JSON file.")
@json_option
@reports_failures
def dedupe(
    input_file: Path,
    output_file: Path,
    methods: frozenset[str],
    threshold: float | None,
    keep: "Keep",
    against: tuple[Path, ...],
    report: Path | None,
    as_json: bool,
) -> None:
    """Copy IN.jsonl to OUT.jsonl without the calls that repeat another.

    \b
    tip dedupe calls.jsonl distinct.jsonl --report removed.json
    tip dedupe new.jsonl distinct.jsonl --against delivered.jsonl
    tip dedupe calls.jsonl distinct.jsonl --methods exact

    Every removed call repeats one that stays, or one of OTHER.jsonl. The report is {"kept", "removed": [{"id",
    "duplicate_of", "method", "similarity"}], "seconds"}; for a call of another file "dataset_of" names that file.
    Ids, texts and order stay as they are. What is needed for comparing lies in a temporary folder: memory stays
    small however large the file is.
    """
    check_files(input_file, output_file, report)
    for other in against:
        check_files(other, output_file, report)
    calls = StageCalls(input_file, "dedupe")
    by_method: Counter[str] = Counter()
    wishes = _Wishes(methods, threshold, keep)
    tier = _tier() if "semantic" in methods else None
    with (
        tempfile.TemporaryDirectory(prefix="tip-dedupe-", ignore_cleanup_errors=True) as folder,
        writing_jsonl(output_file) as writer,
        writing_report(report, "removed") as removed,
    ):
        for conversation, repeated in _judged(calls, Path(folder), wishes, against, tier):
            if repeated is None:
                writer.write(conversation)
            else:
                by_method[repeated.method] += 1
                removed.add(_row(repeated))
        removed.close_with(kept=writer.count, seconds=calls.seconds())
    ran = [level for level in _LEVELS if _LEVELS.index(level) <= max(map(_LEVELS.index, methods))]
    summary: dict[str, object] = {
        "kept": writer.count,
        "removed": removed.count,
        "removed_by_method": dict(by_method),
        "methods": ran,
    }
    said = ", ".join(f"{count} {method}" for method, count in by_method.most_common())
    text = f"{writer.count} calls kept, {removed.count} duplicates removed" + (f" ({said})" if said else "")
    if not writer.count:
        text += "; every call repeats one that was delivered before"
    if tier is not None:
        summary["meaning"] = tier.said
        text += f"; meaning: {tier.said}"
    calls.finish(summary, text, output_file, as_json)


class _Wishes(NamedTuple):
    methods: frozenset[str]
    threshold: float | None
    keep: "Keep"


class _MeaningBar:
    """How far the comparison by meaning is: a bar for each thing that is counted. Close it."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._what = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """See `MeaningProgress`."""
        if self._bar is None or what != self._what or total != self._bar.total:
            self.close()
            unit = what.split(maxsplit=1)[0].removesuffix("s")
            self._bar, self._what = progress_bar(total, f"dedupe: {what}", unit=unit), what
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Ends the bar that is shown."""
        if self._bar is not None:
            self._bar.close()


def _judged(
    calls: StageCalls, folder: Path, wishes: _Wishes, against: Sequence[Path], tier: "SemanticTier | None"
) -> "Iterator[tuple[Conversation, RemovedCall | None]]":
    """Every call of the file with what it repeats."""
    from tip_assets.quality.duplicates.whole_set import find_survivors, first_survive

    comparison = _comparison(wishes, _quality())
    earlier = _earlier(against, comparison, folder)
    if comparison.keep == "first" and tier is None:
        yield from first_survive(calls.read(), comparison, folder=_made(folder / "first"), earlier=earlier)
        return
    calls.check_can_be_read_again("--keep first --methods exact,near reads it once.")
    finders = tier.finders() if tier else ()
    with closing(_MeaningBar()) as bar:
        found = find_survivors(
            calls.read_again_and_again,
            folder,
            comparison,
            earlier=earlier,
            semantic=tier,
            finders=finders,
            progress=bar,
        )
    with closing(found) as survivors:
        yield from survivors.judged(calls.read_again_and_again())


def _quality() -> "QualitySettings":
    from tip_resources.home import project_home
    from tip_resources.settings.layers import load_settings

    return load_settings(project_home(), use_database=False).quality


def _tier() -> "SemanticTier | None":
    """The semantic tier as the settings want it; that it runs at all is what the user asked for."""
    from tip_assets.quality.duplicates.semantic_tier import semantic_tier

    quality = _quality()
    return semantic_tier(quality.model_copy(update={"semantic": "auto"}) if quality.semantic == "off" else quality)[0]


def _comparison(wishes: _Wishes, quality: "QualitySettings") -> "Comparison":
    """The user's threshold is that of whole words; with names and numbers left out never less than the settings'."""
    from tip_assets.quality.duplicates.comparison import Comparison, word_thresholds
    from tip_assets.quality.duplicates.thresholds import Thresholds

    thresholds = word_thresholds(quality)
    if wishes.threshold is not None:
        thresholds = Thresholds(near=wishes.threshold, masked=max(wishes.threshold, thresholds.masked))
    is_exact_alone = wishes.methods == {"exact"}
    return Comparison(methods="exact" if is_exact_alone else "near", thresholds=thresholds, keep=wishes.keep)


def _earlier(against: Sequence[Path], comparison: "Comparison", folder: Path) -> "EarlierCalls | None":
    """The calls of the other files, in indexes on disk."""
    from tip_assets.quality.duplicates.comparison import sketched
    from tip_assets.quality.duplicates.earlier_calls import CallsOfFiles
    from tip_assets.quality.duplicates.index import DuplicateIndex

    indexes: list[tuple[str, DuplicateIndex]] = []
    for number, path in enumerate(against):
        index = DuplicateIndex(folder=_made(folder / f"against-{number}"), thresholds=comparison.thresholds)
        for batch in sketched(StageCalls(path, f"reading {path.name}").read(), comparison.methods):
            index.find_or_add_all([sketch for _, sketch in batch])
        indexes.append((path.name, index))
    return CallsOfFiles(indexes) if indexes else None


def _row(removed: "RemovedCall") -> dict[str, object]:
    row: dict[str, object] = msgspec.to_builtins(removed)
    if not removed.dataset_of:
        del row["dataset_of"]
    return row


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
