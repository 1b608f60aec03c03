"""What is done about each kind of failure: one table, and how long to wait.

Everything here is pure; the engine and the pool carry it out.
"""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

from tip_resources.llm.types import Failure, FailureKind
from tip_resources.settings.models import EngineSettings

BACKOFF_JITTER = 0.25  # share, both ways, so that calls that failed together do not come back together

_MOST_DOUBLINGS = 16  # past any ceiling; without it the power overflows
_ACCIDENT_SECONDS = 0.02  # so that calls that failed together do not come back together

Retry = Literal["here", "elsewhere", "no"]
# What a failure says about the endpoint: nothing, one more failure, "not now", or "not until it is mended".
EndpointEffect = Literal["none", "failure", "pause", "out"]


class Rule(msgspec.Struct, frozen=True):
    """What to do about one kind of failure.

    `here` retries anywhere: at once on another endpoint, after a backoff on the same one. `elsewhere` never
    asks the same endpoint again for this request. `counts` is whether it uses up one of the request's retries;
    what does not is bounded by how long the endpoints stay unusable.
    """

    retry: Retry
    counts: bool
    effect: EndpointEffect


RULES: Mapping[FailureKind, Rule] = {
    "connect": Rule("here", counts=False, effect="failure"),
    "timeout": Rule("here", counts=True, effect="failure"),
    "reset": Rule("here", counts=True, effect="failure"),
    "server_error": Rule("here", counts=True, effect="failure"),
    "overloaded": Rule("here", counts=False, effect="pause"),
    "bad_request": Rule("elsewhere", counts=True, effect="none"),
    "auth": Rule("elsewhere", counts=False, effect="out"),
    "model_missing": Rule("here", counts=False, effect="pause"),
    "context_overflow": Rule("elsewhere", counts=True, effect="none"),
    "protocol": Rule("here", counts=True, effect="failure"),
    "invalid_output": Rule("here", counts=True, effect="none"),
    "refusal": Rule("elsewhere", counts=True, effect="none"),
    "empty": Rule("here", counts=True, effect="none"),
    "truncated": Rule("no", counts=True, effect="none"),
    "repetition": Rule("here", counts=True, effect="none"),
    "moved": Rule("here", counts=False, effect="none"),
}
_ENDPOINT_IS_WRONG = Rule("elsewhere", counts=False, effect="out")


def rule_for(failure: Failure) -> Rule:
    """The rule of a failure; an endpoint that only a person can mend is left alone."""
    if failure.is_permanent:
        return _ENDPOINT_IS_WRONG
    rule = RULES[failure.kind]
    # A request that makes a server crash would otherwise be sent again for ever.
    return msgspec.structs.replace(rule, counts=True) if failure.was_sent else rule


def backoff_seconds(engine: EngineSettings, failures: int, chance: random.Random) -> float:
    """How long to wait after the n-th failure in a row (from 1): by default 1, 2, 4, 8, 8 ... s, jittered."""
    doubled = engine.backoff_first_seconds * 2.0 ** min(max(1, failures) - 1, _MOST_DOUBLINGS)
    base = min(doubled, engine.backoff_longest_seconds)
    return base * chance.uniform(1 - BACKOFF_JITTER, 1 + BACKOFF_JITTER)


def wait_seconds(
    engine: EngineSettings, rule: Rule, failures: int, usual_seconds: float | None, chance: random.Random
) -> float:
    """How long to wait before the same endpoint is asked again.

    Args:
        engine: The first and the longest wait.
        rule: Of the newest failure. One that says nothing of the endpoint leaves it nothing to recover from.
        failures: How many in a row, from 1.
        usual_seconds: What a call usually takes here; None where the endpoint does not otherwise work, or is unknown.
        chance: For the jitter.
    """
    if usual_seconds is None and rule.effect != "none":
        return backoff_seconds(engine, failures, chance)
    return isolated_backoff_seconds(engine, failures, usual_seconds or 0.0, chance)


def isolated_backoff_seconds(
    engine: EngineSettings, failures: int, usual_seconds: float, chance: random.Random
) -> float:
    """How long to wait after an accident on an endpoint that otherwise works: hardly at all the first time.

    After more of them for the same request the waits double from a quarter of a usual call, and are never longer
    than those of `backoff_seconds`.
    """
    if failures <= 1:
        return chance.uniform(0, _ACCIDENT_SECONDS)
    doubled = usual_seconds / 4 * 2.0 ** min(failures - 2, _MOST_DOUBLINGS)
    return min(backoff_seconds(engine, failures - 1, chance), doubled)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Reads a `Retry-After` header (RFC 9110 10.2.3): seconds or an HTTP date. None when absent or unreadable."""
    if header is None:
        return None
    text = header.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    # nan and inf are floats too, and no time to wait for.
    return max(0.0, seconds) if seconds < float("inf") else None
