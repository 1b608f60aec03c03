"""Divides the limit of one endpoint among those who use it at the same time. Pure: no clock, no database."""

from collections.abc import Sequence


def fair_shares(limit: int, wanted: Sequence[int], turn: int = 0) -> list[int]:
    """How many calls at once each holder gets, in the order of `wanted`, the oldest holder first.

    Nobody gets more than it wants, except that each gets one while the limit suffices for that: a holder at zero
    could never show that it wants more. What one leaves goes to the others in equal parts; what cannot be divided
    goes to the oldest. With fewer calls than holders each of those served gets one, and `turn` (any growing
    number) moves on who is served.

    The sum is never above `limit`.
    """
    holders = len(wanted)
    shares = [0] * holders
    if limit < holders:
        for place in range(max(0, limit)):
            shares[(turn + place) % holders] = 1
        return shares
    wishes = [max(1, wish) for wish in wanted]
    left = limit
    hungry = list(range(holders))
    while hungry and left >= len(hungry):
        part = left // len(hungry)
        for holder in hungry:
            more = min(part, wishes[holder] - shares[holder])
            shares[holder] += more
            left -= more
        hungry = [holder for holder in hungry if shares[holder] < wishes[holder]]
    for holder in hungry[:left]:
        shares[holder] += 1
    return shares


def takable(share: int, endpoint_limit: int, granted_to_others: int) -> int:
    """As much of a share as nobody else still holds: others give back only as their calls end."""
    return max(0, min(share, endpoint_limit - granted_to_others))
