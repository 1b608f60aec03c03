"""What may not get worse for the sake of throughput: time to first token, time per output token, errors.

A slow machine or a flaky server is no sign of overload by itself: each guardrail looks at what got worse as more
calls were in flight. Pure; times are seconds.
"""

import math
from collections import deque
from collections.abc import Iterable

import msgspec

from tip_resources.llm.limiter import CallSample
from tip_resources.llm.types import FailureKind

# Failures that too much load can cause. Refusals and bad JSON are the model's own.
_LOAD_FAILURES: frozenset[FailureKind] = frozenset({"timeout", "reset", "server_error", "connect"})
_CALLS_LOOKED_AT = 20
_LEAST_CALLS = 5
_WORSE_FACTOR = 2.0  # over the best seen, before a target that is missed counts as overload
_ERRORS_WORSE_FACTOR = 3.0
# Errors are judged over this many calls, once as many before them have shown what is usual here.
_CALLS_FOR_ERRORS = 40
_DEVIATIONS = 3.0  # standard deviations above what is allowed, so that chance alone does not count


class Guardrails(msgspec.Struct, frozen=True, kw_only=True):
    """The targets. Times in seconds, the error rate a share of calls."""

    p95_first_token_seconds: float
    p95_token_seconds: float
    error_rate: float


class GuardrailWatch:
    """Looks at the calls since the limit last changed, against the best ever seen on this endpoint."""

    def __init__(self, guardrails: Guardrails) -> None:
        self._guardrails = guardrails
        self._best_first = self._best_token = math.inf
        self._calls = self._failures = 0
        self.limit_changed()

    def limit_changed(self) -> None:
        """What was seen so far belongs to another limit."""
        self._first: deque[float] = deque(maxlen=_CALLS_LOOKED_AT)
        self._token: deque[float] = deque(maxlen=_CALLS_LOOKED_AT)
        self._failed: deque[bool] = deque(maxlen=_CALLS_FOR_ERRORS)

    def see(self, sample: CallSample) -> str:
        """Takes a call; returns why there is too much load, or ""."""
        if sample.is_outage:
            return ""
        has_failed = sample.failure in _LOAD_FAILURES
        self._failed.append(has_failed)
        self._calls += 1
        self._failures += has_failed
        first = sample.time_to_first_token_seconds
        if first is not None and sample.failure is None:
            self._first.append(first)
            if tokens := sample.tokens_out:
                self._token.append((sample.duration_seconds - first) / tokens)
        return self._first_token_too_late() or self._tokens_too_slow() or self._too_many_errors()

    def _first_token_too_late(self) -> str:
        if len(self._first) < _LEAST_CALLS:
            return ""
        target, seen = self._guardrails.p95_first_token_seconds, p95(self._first)
        is_over = seen > max(target, _WORSE_FACTOR * self._best_first)
        self._best_first = min(self._best_first, seen)
        return f"first tokens took {seen:.1f} s (p95), target {target:g} s" if is_over else ""

    def _tokens_too_slow(self) -> str:
        if len(self._token) < _LEAST_CALLS:
            return ""
        target, seen = self._guardrails.p95_token_seconds, p95(self._token)
        is_over = seen > max(target, _WORSE_FACTOR * self._best_token)
        self._best_token = min(self._best_token, seen)
        return f"a token took {seen * 1000:.0f} ms (p95), target {target * 1000:g} ms" if is_over else ""

    def _too_many_errors(self) -> str:
        calls_before = self._calls - len(self._failed)
        if len(self._failed) < _CALLS_FOR_ERRORS or calls_before < _CALLS_FOR_ERRORS:
            return ""
        failures = sum(self._failed)
        recent, before = failures / _CALLS_FOR_ERRORS, (self._failures - failures) / calls_before
        allowed = min(1.0, max(self._guardrails.error_rate, _ERRORS_WORSE_FACTOR * before))
        if recent <= allowed + _DEVIATIONS * math.sqrt(allowed * (1 - allowed) / _CALLS_FOR_ERRORS):
            return ""
        return f"{recent:.0%} of calls failed, target {self._guardrails.error_rate:.0%}"


def p95(values: Iterable[float]) -> float:
    """The 95th percentile by nearest rank; of at least one value."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
