"""`tip backup` and `tip restore`: everything of a project in one folder, and back."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from tip_assets.cli.console import json_option, print_json, progress_bar, reports_failures, say
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_resources.upkeep.backup import Progress

_NAMED = 5


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@json_option
@reports_failures
def backup(folder: Path, as_json: bool) -> None:
    """Copy database, sets, parts, exports and configuration to FOLDER, and check the copy. Runs may go on.

    FOLDER holds personal data and the key of the surrogates: keep it as safe as the project. `.env` is not in it, nor
    are logs. Sets in an object store stay there; FOLDER lists them, and `tip restore` checks that they are there.
    """
    from tip_resources.database.connection import database
    from tip_resources.settings.layers import load_settings
    from tip_resources.upkeep.backup import back_up
    from tip_resources.upkeep.words import in_bytes

    home = project_home()
    with _bars() as on_progress:
        manifest = back_up(database(home), home, load_settings(home), folder, on_progress)
    rows = sum(table.rows for table in manifest.tables)
    size = manifest.file_bytes + sum(table.bytes for table in manifest.tables)
    if as_json:
        found = {"folder": str(folder.resolve()), "rows": rows, "files": manifest.files, "bytes": size}
        elsewhere = {"objects": manifest.objects, "object_bytes": manifest.object_bytes}
        print_json({**found, "has_sets": manifest.has_sets, **elsewhere, "created_at": manifest.created_at})
        return
    say(f"{rows:,} rows and {manifest.files:,} files, {in_bytes(size)}, in {folder}; read back and whole.")
    if not manifest.has_sets:
        objects = f"{manifest.objects:,} objects, {in_bytes(manifest.object_bytes)}, at {manifest.storage_url}"
        say(f"NOT in it: {objects} (sets, parts, exports). They are listed in objects.txt and stay there:")
        say("copy them as well (aws s3 sync), or let the bucket keep versions. `tip restore` looks for them.")


@click.command("restore")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Move what the project holds aside first; nothing is deleted.")
@click.option(
    "--without-objects", is_flag=True, help="Go on although sets are missing in the object store, or it is away."
)
@json_option
@reports_failures
def restore(folder: Path, replace: bool, without_objects: bool, as_json: bool) -> None:
    """Bring the backup in FOLDER back into this project: data sets, runs, lineage, settings with their history.

    The project must be empty, or --replace be given. Services must be stopped. Interrupted, give it again.
    """
    from tip_resources.upkeep.restore import restore as bring_back

    with _bars() as on_progress:
        done = bring_back(project_home(), folder, on_progress, replace=replace, without_objects=without_objects)
    made = done.manifest.created_at
    if as_json:
        found = {"created_at": made, "files": done.manifest.files, "moved_aside": list(done.moved_aside)}
        objects = {"missing_objects": list(done.objects.missing), "changed_objects": list(done.objects.changed)}
        print_json({**found, **objects, "unseen_objects": done.objects.unseen})
        return
    say(f"restored: the project is as it was on {made:%Y-%m-%d at %H:%M} UTC. `tip list` shows its data sets.")
    for each in done.moved_aside:
        say(f"moved aside: {each}")
    if done.objects.unseen:
        say(f"nobody looked for {done.manifest.objects:,} objects: {done.objects.unseen}")
    for what, names in (("missing", done.objects.missing), ("changed since the backup", done.objects.changed)):
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            say(f"{what} at {done.manifest.storage_url}: {', '.join(names[:_NAMED])}{more}")


@contextmanager
def _bars() -> "Iterator[Callable[[Progress], None]]":
    """A progress bar for each stage, one after the other."""
    with ExitStack() as stack:
        bars: dict[str, tqdm] = {}

        def on_progress(progress: "Progress") -> None:
            bar = bars.get(progress.stage)
            if bar is None:
                for earlier in bars.values():
                    earlier.close()
                bar = bars[progress.stage] = stack.enter_context(_bar(progress))
            bar.update(progress.bytes)

        yield on_progress


def _bar(progress: "Progress") -> tqdm:
    bar = progress_bar(progress.total, progress.stage, unit="B")
    bar.unit_scale = True
    return bar
