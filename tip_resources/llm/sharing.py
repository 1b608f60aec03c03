"""Divides the limit of one endpoint among those who use it at the same time. Pure: no clock, no database."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush


def fair_shares(limit: int, wanted: Sequence[int], turn: int = 0, weights: Sequence[int] | None = None) -> list[int]:
    """How many calls at once each holder gets, in the order of `wanted`, the oldest holder first.

    Each call goes to the holder that has fewest for its weight, of equal ones the oldest: parts in proportion to the
    weights, equal without. Nobody gets more than it wants, except that each gets one while the limit suffices for
    that: a holder at zero could never show that it wants more. What one leaves goes to the others alike. With fewer
    calls than holders each of those served gets one, and `turn` (any growing number) moves on who is served: one of
    twice the weight has twice the turns.

    The sum is never above `limit`.
    """
    holders = len(wanted)
    heft = [1] * holders if weights is None else [max(1, weight) for weight in weights]
    if limit < holders:
        return _by_turns(max(0, limit), heft, turn)
    wishes = [max(1, wish) for wish in wanted]
    shares = [1] * holders
    # The call that would be next of each: (calls it would have for its weight, place), so that ties go to the oldest.
    nexts = [(2 / heft[place], place) for place in range(holders) if wishes[place] > 1]
    heapify(nexts)
    for _ in range(limit - holders):
        if not nexts:
            break
        _, place = heappop(nexts)
        shares[place] += 1
        if shares[place] < wishes[place]:
            heappush(nexts, ((shares[place] + 1) / heft[place], place))
    return shares


def _by_turns(limit: int, weights: Sequence[int], turn: int) -> list[int]:
    """One call each for `limit` holders. Over as many turns as the weights sum up to, each is first as often as it
    weighs; behind it come those that follow.
    """
    holders = range(len(weights))
    rounds = [place for step in range(max(weights, default=0)) for place in holders if weights[place] > step]
    shares = [0] * len(weights)
    if rounds:
        begin = turn % len(rounds)
        order = dict.fromkeys(rounds[begin:] + rounds[:begin])
        for place in list(order)[:limit]:
            shares[place] = 1
    return shares


def takable(share: int, endpoint_limit: int, granted_to_others: int) -> int:
    """As much of a share as nobody else still holds: others give back only as their calls end."""
    return max(0, min(share, endpoint_limit - granted_to_others))
