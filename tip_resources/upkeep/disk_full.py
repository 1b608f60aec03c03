"""Tells a full disk from other trouble, and what to say of it."""

import errno
import os

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# As others say it: libraries that have no errno (Rust's, with the number of Linux or of Windows), PostgreSQL.
_SAID_FULL = ("No space left on device", "os error 28)", "os error 112)", "Disk quota exceeded")


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that a disk or a quota is full."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        if isinstance(each, OSError) and each.errno in _FULL:
            return True
        if any(sign in str(each) for sign in _SAID_FULL):
            return True
        each = each.__cause__ or each.__context__
    return False


def full_disk_words(error: BaseException) -> str:
    """What a person is told of a full disk."""
    named = getattr(error, "filename", None)
    where = f" ({os.fspath(named)})" if named else ""
    return (
        f"the disk is full{where}. Nothing half-written was left in place; make room (`tip gc` shows what can go) and "
        "do it again: what is finished is kept."
    )
