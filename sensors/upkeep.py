"""Once a day what has grown old is removed, in passes short enough for a sensor. What that is: tip_resources/upkeep.

A sensor and not a schedule: it works under plain `dagster dev` as well as under `tip up`, and makes no run, whose
record would have to be removed in its turn.
"""

import time

import dagster as dg
import msgspec

from tip_assets.platform import Platform
from tip_resources.upkeep.chores import Amount
from tip_resources.upkeep.clean_up import CleanedUp, chores, clean_up, the_only_one
from tip_resources.upkeep.words import in_bytes

EVERY_SECONDS = 86_400.0
# Dagster gives a sensor 60 s in all.
PASS_SECONDS = 20.0


class Memory(msgspec.Struct, frozen=True):
    """What one tick leaves to the next: when the last clean-up ended, and what the passes removed so far."""

    ended_at: float = 0.0
    count: int = 0
    bytes: int = 0


def is_due(memory: Memory, now_unix_seconds: float) -> bool:
    """Whether a clean-up begins or goes on now. A clock that was set back does not put it off for long."""
    return not 0 <= now_unix_seconds - memory.ended_at < EVERY_SECONDS


def after(memory: Memory, done: CleanedUp, now_unix_seconds: float) -> tuple[Memory, str]:
    """What is remembered of a pass, and the words for it."""
    removed = Amount(memory.count, memory.bytes) + done.total
    said = f"{removed.count:,} things removed, {in_bytes(removed.bytes)}"
    if done.is_done:
        return Memory(ended_at=now_unix_seconds), f"cleaned up: {said}. Next in 24 hours."
    return Memory(memory.ended_at, removed.count, removed.bytes), f"cleaning up: {said} so far."


def remembered(cursor: str | None) -> Memory:
    """The memory in a cursor; a cursor that is none of ours counts as none."""
    try:
        return msgspec.json.decode(cursor or "{}", type=Memory)
    except msgspec.MsgspecError:
        return Memory()


@dg.sensor(
    name="upkeep",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Removes what has grown old, once a day; the settings of `retention` say what that is.",
)
def upkeep_sensor(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    """Decides whether it is time, removes for some seconds, remembers."""
    memory = remembered(context.cursor)
    if not is_due(memory, time.time()):
        hours = (EVERY_SECONDS - (time.time() - memory.ended_at)) / 3600
        return dg.SkipReason(f"Cleaned up; next in {hours:.0f} h.")
    engine = platform.database()
    with the_only_one(engine) as is_ours:
        if not is_ours:
            return dg.SkipReason("`tip gc` or `tip backup` is at work; waiting for it.")
        done = clean_up(chores(engine, platform.folder, platform.settings()), most_seconds=PASS_SECONDS)
    memory, said = after(memory, done, time.time())
    return dg.SensorResult(skip_reason=said, cursor=msgspec.json.encode(memory).decode())
