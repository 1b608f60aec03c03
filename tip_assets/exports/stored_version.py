"""The data version of what is stored now, worked out anew from the files, to be held against what Dagster recorded."""

from pathlib import Path

from upath import UPath

from tip_assets.exports.manifest import Listing, listed_files, read_manifest
from tip_resources.storage.checksums import ListedFiles, sha256_of
from tip_resources.storage.folders import local_folder
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import local_file, object_exists

PAGE = "report.html"
# In the order they are put: where the summary is, the report is. Their data version lists them so.
REPORT_FILES = (PAGE, "summary.json")
_REPORT, _EXPORT = "dataset_report", "_export"


def stored_version(asset: str, dataset: str, layout: Layout, copies: Path) -> str | None:
    """The version of what `asset` has stored for a data set; None when nothing is there.

    Every file is read. What lies in S3 is copied into `copies` first.
    """
    if asset == _REPORT:
        return _of_folder(layout.exports(dataset, "report"), copies)
    if asset.endswith(_EXPORT):
        return _of_folder(layout.exports(dataset, asset.removesuffix(_EXPORT)), copies)
    file = layout.set_file(asset, dataset)
    return sha256_of(local_file(file, copies)) if object_exists(file) else None


def _of_folder(folder: UPath, copies: Path) -> str | None:
    """Of the files that an export's manifest lists, or of a report's. One that is missing has no checksum to list."""
    listed = ListedFiles()
    with local_folder(folder, copies) as here:
        names = _listed_in(here)
        for name in names:
            listed.add(sha256_of(here / name) if (here / name).is_file() else "", name)
    return listed.sha256 if names else None


def _listed_in(folder: Path) -> tuple[str, ...]:
    """The files of an export in the order its data version lists them; of a report when there is no manifest."""
    manifest = read_manifest(folder, Listing)
    if manifest is None:
        return REPORT_FILES if (folder / PAGE).is_file() else ()
    return tuple(entry.path for entry in listed_files(manifest))
