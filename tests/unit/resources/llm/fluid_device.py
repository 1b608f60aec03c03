"""A model server as a fluid: all streams share its total speed, which depends on how many there are.

Stands for real GPUs, which cannot be here. It drives a limiter alone, in simulated time, without engine or network.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tip_resources.llm.limiter import CallSample, Limiter


@dataclass
class Stream:
    """One answer being written."""

    tokens: float
    started_at: float
    in_queue: bool = False
    first_at: float | None = None
    written: float = 0.0


@dataclass
class FluidDevice:
    """`capacity(now, streams)` is the total of tokens a second; what is past `slots` waits in silence or is refused."""

    capacity: Callable[[float, int], float]
    slots: int = 64
    refuses: bool = False
    jitter: float = 0.0
    seed: int = 1
    limits: list[tuple[float, int]] = field(default_factory=list)
    refused: int = 0

    def run(self, limiter: Limiter, requests: int, tokens: float = 600.0, step: float = 0.002) -> float:
        """Seconds until all requests are answered with as many at once as the limiter allows."""
        rng = random.Random(self.seed)
        left = [tokens * rng.uniform(0.8, 1.2) for _ in range(requests)]
        streams: list[Stream] = []
        now = 0.0
        while left or streams:
            while left and len(streams) < limiter.limit:
                if self.refuses and len(streams) >= self.slots:
                    self.refused += 1
                    limiter.call_started(now, len(streams) + 1)
                    limiter.call_finished(self._sample(Stream(0, now), now, len(streams) + 1, "overloaded"))
                    continue
                streams.append(Stream(left.pop(), now))
                limiter.call_started(now, len(streams))
            now += step
            active = streams[: self.slots]
            share = self.capacity(now, len(active)) * step / max(1, len(active))
            for stream in active:
                before = int(stream.written)
                stream.written += share * (rng.uniform(1 - self.jitter, 1 + self.jitter) if self.jitter else 1)
                if stream.first_at is None:
                    stream.first_at = now
                if (came := int(stream.written) - before) > 0:
                    limiter.tokens_came(now, came, len(streams))
            for stream in [one for one in active if one.written >= one.tokens]:
                limiter.call_finished(self._sample(stream, now, len(streams), None))
                streams.remove(stream)
            if not self.limits or self.limits[-1][1] != limiter.limit:
                self.limits.append((now, limiter.limit))
        return now

    def _sample(self, stream: Stream, now: float, in_flight: int, failure) -> CallSample:
        first = None if stream.first_at is None else stream.first_at - stream.started_at
        return CallSample(
            failure=failure,
            started_at_seconds=stream.started_at,
            duration_seconds=now - stream.started_at,
            time_to_first_token_seconds=first,
            characters_out=int(4 * stream.written),
            tokens_out=int(stream.written),
            in_flight=in_flight,
            ended_at_seconds=now,
        )


def knee_at(knee: int, *, alone: float = 100.0, gain: float = 4.0, loss: float = 0.03) -> Callable[[int], float]:
    """Total speed of a GPU: grows evenly to `gain` times one stream's at the knee, then falls by `loss` a stream."""

    def total(streams: int) -> float:
        if streams == 0:
            return 0.0
        useful = min(streams, knee)
        rate = alone * (1 + (gain - 1) * (useful - 1) / max(1, knee - 1))
        return rate * (1 - loss) ** max(0, streams - knee)

    return total
