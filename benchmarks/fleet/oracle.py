"""How long a scheduler takes that knows the heat model, every owner's hours and every death: the denominator.

It gives each machine at every second the most work that keeps it at or below its limit, in fractions of slots, with
no tail and nothing lost. No schedule that keeps the limits and leaves owners alone can be shorter than a little less.
"""

from collections.abc import Sequence

from benchmarks.fleet.machines import STEP_SECONDS, Body, Life


def oracle_seconds(lives: Sequence[Life], tokens: float, respects_owners: bool = True) -> float:
    """When the last token is written.

    Raises:
        ValueError: The machines are dead before.
    """
    bodies = [Body(life) for life in lives]
    seconds = 0.0
    while tokens > 0:
        if not any(life.is_alive_at(seconds) for life in lives):
            raise ValueError("every machine is dead before the work is done")
        for body in bodies:
            tokens -= _best_step(body, seconds, respects_owners)
        seconds += STEP_SECONDS
    return seconds


def _best_step(body: Body, seconds: float, respects_owners: bool) -> float:
    life, kind = body.life, body.life.kind
    if not life.is_alive_at(seconds):
        return 0.0
    owner = life.has_owner_at(seconds)
    without = body.watts(0, owner)
    busy = 0.0
    if not (owner and respects_owners):
        busy = min(float(kind.slots), max(0.0, (body.watts_to(kind.limit_celsius) - without) / kind.slot_watts))
    body.live(body.watts(busy, owner))
    return busy * kind.tokens_per_second * body.speed * STEP_SECONDS
