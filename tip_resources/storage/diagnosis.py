"""Whether the storage root can be used, tried for `tip doctor` with an object that is removed again."""

import os
import uuid

from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import list_objects, put_object, read_object, remove_tree
from tip_resources.storage.places import is_local


def try_storage(layout: Layout) -> str:
    """Writes, lists, reads and removes; says where that was, and through which server.

    Raises:
        BadInput: It cannot be used as it is; says how to mend it.
        TransientFailure: It cannot be reached now, or does not keep what it takes.
    """
    folder, mark = layout.root / f"tried-{uuid.uuid4().hex[:8]}", b"tip doctor"
    try:
        put_object(folder / "mark.txt", mark)
        found = [read_object(path) for path in list_objects(folder, "*.txt")]
        remove_tree(folder)
    except OSError as error:  # of a folder; S3's are told by reaching()
        raise BadInput(
            f"cannot be used: {error.strerror}.", where=f"storage {layout.root}", mend="Mend it, or set storage_url."
        ) from error
    if found != [mark]:
        raise TransientFailure(f"storage {layout.root}: what was written there is not what is read.")
    if is_local(layout.root):
        return f"sets, parts and exports in the folder {layout.root}"
    server = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "Amazon"
    return f"sets, parts and exports at {layout.root} ({server}); database, logs and working files stay here"
