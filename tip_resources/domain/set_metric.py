"""One figure of a whole data set: of its diversity, its likeness to real calls, or how it covers its plan."""

from typing import Literal

import msgspec

MetricGroup = Literal["diversity", "flow", "style", "coverage", "discriminator", "telling"]


class SetMetric(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is None where it could not be measured, and `detail` then says why.

    `reference` is the same figure of the reference calls; `distance` how far the two are apart, 0 for none (which
    distance it is, `detail` says). `goal` is what would be good, in a few words, empty where nothing is agreed.
    """

    name: str
    group: MetricGroup
    value: float | None = None
    reference: float | None = None
    distance: float | None = None
    goal: str = ""
    detail: str = ""
