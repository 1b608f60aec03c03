"""What making a set will take, before it starts: tokens, model calls, cost and time. Pure; nothing is asked here.

A set of the same kind that was made before is the best guide: its tokens for a kept call and its speed. Without one,
the figures come from the settings (exchanges of a call, generation.tokens_per_turn), as a range. Calls that are
rejected and asked for again are in what was measured, and not in what comes from the settings.
"""

from collections.abc import Iterable, Sequence

import msgspec

from tip_assets.generation.batching import BatchPlan
from tip_assets.generation.spending import Expected
from tip_assets.rough_figures import count_of, duration
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.context_budget import PLAN_TOKENS, PROMPT_TOKENS
from tip_resources.llm.prices import PriceList
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import GenerationSettings
from tip_resources.storage.checkpoint import CallUsage

_TURNS_PER_EXCHANGE = 2
# Fewer calls than this say little about the ones to come.
_LEAST_MEASURED = 5


class Span(msgspec.Struct, frozen=True):
    """From `low` to `high`; the same where it is known."""

    low: float
    high: float

    def times(self, factor: float) -> "Span":
        """Both ends multiplied."""
        return Span(self.low * factor, self.high * factor)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier set of the same kind took: tokens for one kept call, and tokens a second of one stream."""

    calls: int
    tokens_in_per_call: float
    tokens_out_per_call: float
    tokens_per_second: float | None
    source: str = ""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a set will take. `cost` in US dollars, None when a price is unknown; `seconds` None with the speed unknown.

    `basis` says in words where the figures come from, `unpriced` the models without a price.
    """

    calls: int
    model_calls: Span
    tokens_in: Span
    tokens_out: Span
    cost: Span | None
    seconds: Span | None
    tokens_per_second: float | None
    is_free: bool
    batch_api: bool
    basis: str
    unpriced: tuple[str, ...] = ()

    @property
    def per_request(self) -> Expected:
        """Of one model call at its longest: what a budget expects before the first has ended."""
        requests = max(1.0, self.model_calls.low)
        return Expected(
            tokens=(self.tokens_in.high + self.tokens_out.high) / requests,
            cost=(self.cost.high if self.cost else 0.0) / requests,
        )


def measured_of(usages: Iterable[CallUsage], source: str = "") -> Measured | None:
    """What the records of an earlier set say; None when there are too few of them."""
    calls = tokens_in = tokens_out = 0
    seconds = 0.0
    for usage in usages:
        if usage.tokens_out is None:
            continue
        calls += usage.items
        tokens_in += usage.tokens_in or 0
        tokens_out += usage.tokens_out
        seconds += usage.duration_ms / 1000
    if calls < _LEAST_MEASURED:
        return None
    return Measured(
        calls=calls,
        tokens_in_per_call=tokens_in / calls,
        tokens_out_per_call=tokens_out / calls,
        tokens_per_second=tokens_out / seconds if seconds > 0 else None,
        source=source,
    )


def estimate(
    spec: DatasetSpec,
    generation: GenerationSettings,
    endpoints: Sequence[Endpoint],
    prices: PriceList,
    batches: BatchPlan,
    measured: Measured | None = None,
) -> Estimate:
    """What `spec` will take.

    Args:
        spec: The data set.
        generation: Planning figures.
        endpoints: Who may write it, in the order of preference; empty when nobody answers yet.
        prices: What tokens cost.
        batches: As the writing will be cut (`plan_batches`).
        measured: Of an earlier set of the same kind, where there is one.
    """
    model_calls, tokens_in, tokens_out = _from_settings(spec, generation, batches)
    basis = f"{generation.tokens_per_turn} tokens a turn (generation.tokens_per_turn)"
    if measured is not None:
        tokens_in = Span(*[spec.count * measured.tokens_in_per_call] * 2)
        tokens_out = Span(*[spec.count * measured.tokens_out_per_call] * 2)
        basis = f"{measured.tokens_out_per_call:.0f} tokens a kept call, measured{measured.source}"
    speed = None
    if measured is not None and measured.tokens_per_second and not spec.batch_api:
        speed = measured.tokens_per_second * sum(endpoint.concurrency for endpoint in endpoints)
    return Estimate(
        calls=spec.count,
        model_calls=model_calls,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=_cost(endpoints, prices, tokens_in, tokens_out, batch_api=spec.batch_api),
        seconds=tokens_out.times(1 / speed) if speed else None,
        tokens_per_second=speed or None,
        is_free=all(_is_free(prices, endpoint) for endpoint in endpoints),
        batch_api=spec.batch_api,
        basis=basis,
        unpriced=tuple(sorted({one.model for one in endpoints if prices.of(one) is None})),
    )


def in_words(found: Estimate) -> str:
    """One line: `about 1.2M tokens out, 34 model calls, 0.00 USD (own machines), about 12 min at 1,600 tok/s ...`."""
    money = _money(found)
    if found.batch_api:
        time = "within 24 h (batch API)"
    elif found.seconds is None or found.tokens_per_second is None:
        time = "speed unknown"
    else:
        low, high = duration(found.seconds.low), duration(found.seconds.high)
        took = low if low == high else f"{low} to {high}"
        time = f"about {took} at {found.tokens_per_second:,.0f} tok/s measured"
    out, into = _counts(found.tokens_out), _counts(found.tokens_in)
    calls = _range(f"{found.model_calls.low:,.0f}", f"{found.model_calls.high:,.0f}")
    plural = "" if found.model_calls.high == 1 else "s"
    return f"about {out} tokens out, {into} in, {calls} model call{plural}, {money}, {time}; from {found.basis}"


def _from_settings(spec: DatasetSpec, generation: GenerationSettings, batches: BatchPlan) -> tuple[Span, Span, Span]:
    """Model calls, tokens in and tokens out of the whole set."""
    turns = Span(*(batches.exchanges.low * _TURNS_PER_EXCHANGE, batches.exchanges.high * _TURNS_PER_EXCHANGE))
    out = turns.times(generation.tokens_per_turn * spec.count)
    if spec.mode == "two_agent":
        # Each turn is a model call of its own that reads the conversation so far: half of it, on average.
        def read(count: float) -> float:
            return spec.count * count * (PLAN_TOKENS + count * generation.tokens_per_turn / 2)

        return turns.times(spec.count), Span(read(turns.low), read(turns.high)), out
    requests = -(-spec.count // batches.size)
    tokens_in = requests * PROMPT_TOKENS + spec.count * PLAN_TOKENS
    return Span(requests, requests), Span(tokens_in, tokens_in), out


def _is_free(prices: PriceList, endpoint: Endpoint) -> bool:
    price = prices.of(endpoint)
    return price is not None and price.input == price.output == 0


def _cost(
    endpoints: Sequence[Endpoint], prices: PriceList, tokens_in: Span, tokens_out: Span, *, batch_api: bool
) -> Span | None:
    """From all of it at the cheapest endpoint to all of it at the dearest."""
    lows = [prices.cost(one, round(tokens_in.low), round(tokens_out.low), batch_api=batch_api) for one in endpoints]
    highs = [prices.cost(one, round(tokens_in.high), round(tokens_out.high), batch_api=batch_api) for one in endpoints]
    low, high = [cost for cost in lows if cost is not None], [cost for cost in highs if cost is not None]
    if not endpoints or len(low) < len(endpoints):
        return None
    return Span(min(low), max(high))


def _money(found: Estimate) -> str:
    if found.unpriced:
        return f"cost unknown (no price for {', '.join(found.unpriced)})"
    if found.cost is None:
        return "cost unknown (no model server answers yet)"
    if found.is_free:
        return "0.00 USD (own machines)"
    return f"{_range(f'{found.cost.low:.2f}', f'{found.cost.high:.2f}')} USD"


def _counts(span: Span) -> str:
    return _range(count_of(span.low), count_of(span.high))


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
