"""An export into a prefix of a bucket that a person names: built on the local disk, then published whole."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath

from tip_assets.exports.export_folder import ensure_only_an_export
from tip_assets.exports.manifest import MANIFEST_NAME, Listing, decode_manifest
from tip_resources.storage.folders import publish_folder
from tip_resources.storage.objects import read_object, relative_names


@contextmanager
def building_in_s3(target: UPath, export_format: str) -> Iterator[Path]:
    """Gives a local folder to export into; `target` becomes that export when the block ends well.

    Raises:
        BadInput: `target` holds something that is not an earlier export of the same format, or S3 cannot be used.
        TransientFailure: S3 cannot be reached now.
    """
    if there := relative_names(target):
        manifest = decode_manifest(read_object(target / MANIFEST_NAME), Listing) if MANIFEST_NAME in there else None
        ensure_only_an_export(there, manifest, export_format, where=str(target))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / export_format
        yield folder
        publish_folder(folder, target, last=MANIFEST_NAME)
