"""Tells a disk that takes nothing more from other trouble, and what to say of it."""

import errno
import os

from tip_resources.domain.failures import with_causes

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# As others say it: libraries that have no errno (Rust's, with the number of Linux or of Windows), PostgreSQL.
_SAID_FULL = ("No space left on device", "os error 28)", "os error 112)", "Disk quota exceeded")
_SAID_READ_ONLY = ("Read-only file system", "os error 30)", "os error 19)")

_MAKE_ROOM = "the disk is full{where}. Nothing half-written was left in place; make room (`tip gc` shows what can go)"
_MAKE_WRITABLE = (
    "the disk is read-only{where}. Nothing half-written was left in place; see why (`dmesg`), make it writable"
)
_AGAIN = " and do it again: what is finished is kept."


def disk_trouble(error: BaseException) -> str | None:
    """What to tell a person where an error, or one that it came from, says that a disk or a quota is full or that a
    disk can only be read; None for other errors.
    """
    named = getattr(error, "filename", None)
    where = f" ({os.fspath(named)})" if named else ""
    for each in with_causes(error):
        number, said = each.errno if isinstance(each, OSError) else None, str(each)
        if number in _FULL or any(sign in said for sign in _SAID_FULL):
            return _MAKE_ROOM.format(where=where) + _AGAIN
        if number == errno.EROFS or any(sign in said for sign in _SAID_READ_ONLY):
            return _MAKE_WRITABLE.format(where=where) + _AGAIN
    return None
