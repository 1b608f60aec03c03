"""Why a data set that was asked for is not being made yet, in words for a person. Pure."""

from tip_resources.database.fleet_gate import GateRow
from tip_resources.fleet.heat import in_words

# Looks come every few seconds; after this the decision is nobody's any more.
_STALE_SECONDS = 60.0


def why_waiting(gate: GateRow | None, running: int) -> str | None:
    """Why nothing more starts now; None where nothing is in the way, or nobody has looked yet.

    Args:
        gate: The newest decision.
        running: Data sets that are being made.
    """
    if gate is None:
        return None
    if gate.is_closed:
        stale = gate.age_seconds > _STALE_SECONDS
        old = f" (as of {in_words(gate.age_seconds)} ago: nothing looks at the machines now)" if stale else ""
        return gate.reason + old
    if running >= gate.run_limit:
        made = "1 data set is" if running == 1 else f"{running} data sets are"
        return f"{made} being made; {gate.reason}"
    return None
