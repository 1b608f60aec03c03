"""What was measured of one endpoint: speed, patience, and how long its calls take. Times are of the event loop."""

from tip_resources.llm.flight import Flight
from tip_resources.llm.patience import Patience
from tip_resources.llm.samples import Samples
from tip_resources.llm.speed import Lengths, Speed


class Measures:
    """Of one endpoint; `lengths` is shared by all endpoints of an engine."""

    def __init__(self, lengths: Lengths) -> None:
        self.lengths = lengths
        self.speed = Speed()
        self.patience = Patience()
        self.calls = Samples()
        self.first_tokens = Samples()
        self.most_talking = 0
        self.tokens_out = 0
        self.call_seconds = 0.0

    def heard(self, flight: Flight, now: float, tokens: int) -> None:
        """Tokens of a call came."""
        if flight.first_token_at is None:
            waited = now - flight.started_at
            self.first_tokens.add(waited)
            self.patience.first_token_came(waited)
        flight.heard(now, tokens)
        self.speed.tokens_came(tokens)

    def ended(self, flight: Flight, now: float, tokens_out: int | None, *, is_whole: bool) -> None:
        """A call ended by itself; one that brought its answer in one piece says only now how long it is."""
        self.patience.call_ended(flight.longest_gap, flight.tokens)
        seconds, tokens = now - flight.started_at, max(flight.tokens, tokens_out or 0)
        self.call_seconds += seconds
        self.tokens_out += tokens
        if not is_whole:
            return
        self.calls.add(seconds)
        self.speed.tokens_came(tokens - flight.tokens)
        self.speed.call_ended(tokens, seconds)
        self.lengths.answer_came(tokens, flight.need.tokens)

    def looked_at(self, flights: set[Flight], now: float) -> None:
        """Takes the rates of the time since it was called last."""
        talking = sum(flight.first_token_at is not None and not flight.is_suspect for flight in flights)
        self.most_talking = max(self.most_talking, talking)
        self.speed.looked_at(now, talking)

    def usual_seconds(self) -> float | None:
        """How long a call takes here in the middle; None until one has ended."""
        return self.calls.percentile(0.5)

    def seconds_for(self, allowed_tokens: int) -> float | None:
        """How long a new call would take at the present load; None until something was measured."""
        pace = self.speed.stream_tokens_per_second
        if not pace:
            return None
        return (self.first_tokens.percentile(0.5) or 0.0) + self.lengths.expected(allowed_tokens) / pace

    def seconds_left(self, flight: Flight) -> float | None:
        """How long a call in flight will take still; None until something was measured."""
        pace = flight.tokens_per_second() or self.speed.stream_tokens_per_second
        if not pace:
            return None
        expected = self.lengths.expected(flight.need.tokens)
        return max(0.05 * expected, expected - flight.tokens) / pace
