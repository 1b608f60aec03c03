"""From how much likeness on a call repeats another. Figures and their curve: docs/duplicates.md."""

import msgspec

# Below this similarity two calls are not worth asking for their meaning.
SEMANTIC_FLOOR = 0.3


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest similarity (0-1, see compare.py) that makes a later call a duplicate.

    Args:
        near: With every word counted.
        masked: With names and numbers left out: what is left is more alike between any two calls.
    """

    near: float = 0.65
    masked: float = 0.88


DEFAULT = Thresholds()
