"""What is kept of a call that was removed as a duplicate: a side set of its data set, and of the report."""

import msgspec

from tip_assets.quality.duplicates.matches import DuplicateMethod

# The name of the side set.
DUPLICATES = "duplicates"


class RemovedCall(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset_of` names the data set that `duplicate_of` was delivered in; empty for the same set."""

    id: str
    duplicate_of: str
    dataset_of: str = ""
    method: DuplicateMethod
    similarity: float
