"""What writing and judging a set took, from the spending that was recorded when it was done."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tip_assets.exports.report_data import Cost
from tip_assets.generation.spending import Spent
from tip_resources.domain.codec import from_builtins
from tip_resources.storage.checkpoint import CallUsage


def recorded_cost(spending: Sequence[Mapping[str, Any]], usages: Iterable[CallUsage] | None = None) -> Cost | None:
    """The sum over all that is on record; None for a set nobody wrote (an import), or judged.

    Args:
        spending: `Spent` of each endpoint, as plain values, with what earlier runs of the set spent.
        usages: The model calls on record; their times add up over calls at once. None: no times are on record.
    """
    if not spending:
        return None
    parts = [from_builtins(one, Spent) for one in spending]
    dollars = [one.cost for one in parts]
    return Cost(
        dollars=None if None in dollars else sum(cost for cost in dollars if cost is not None),
        tokens_in=sum(one.tokens_in for one in parts),
        tokens_out=sum(one.tokens_out for one in parts),
        machine_seconds=None if usages is None else sum(usage.duration_ms for usage in usages) / 1000,
    )
