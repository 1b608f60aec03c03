"""How long a scheduler takes that knows the heat model, every owner's hours and every death: the denominator.

It gives each machine at every second the most work that keeps it at or below its limit, in fractions of slots, with
no tail and nothing lost. The rules of the house bind it too: a machine is left alone while its owner is there and for
`release_seconds` after.
"""

from collections.abc import Sequence

from benchmarks.fleet.machines import STEP_SECONDS, Body, Life


def oracle_seconds(lives: Sequence[Life], tokens: float, release_seconds: float) -> float:
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
            tokens -= _best_step(body, seconds, release_seconds)
        seconds += STEP_SECONDS
    return seconds


def _best_step(body: Body, seconds: float, release_seconds: float) -> float:
    life, kind = body.life, body.life.kind
    if not life.is_alive_at(seconds):
        return 0.0
    owner = life.has_owner_at(seconds)
    without = body.watts(0, owner)
    busy = 0.0
    if not life.has_owner_at(seconds, release_seconds):
        busy = min(float(kind.slots), max(0.0, (body.watts_to(kind.limit_celsius) - without) / kind.slot_watts))
    body.live(body.watts(busy, owner))
    return busy * kind.tokens_per_second * body.speed * STEP_SECONDS
