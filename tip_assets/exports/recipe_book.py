"""The ways in which the calls of a set were made, counted for the report in one pass."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from tip_assets.exports.report_data import Recipe
from tip_resources.domain.provenance import Provenance

# Imported sets can bring any text as a model or parameter; this many different ways and values are kept.
_MOST_WAYS = 1_000
_MOST_VALUES = 100
_LISTED_VALUES = 4


class _Way(msgspec.Struct, frozen=True):
    """What makes two calls different in kind. A batch's size follows the server's speed, so it does not."""

    model: str
    endpoint: str
    node: str
    tier: str
    prompt_template: str
    prompt_hash: str
    tip_version: str
    scripted: bool


@dataclass(slots=True)
class _Seen:
    calls: int = 0
    values: dict[str, Counter[object]] = field(default_factory=dict)


class RecipeBook:
    """Counts calls by model, endpoint, prompt and version; parameters that varied are told by their range."""

    def __init__(self) -> None:
        self._ways: dict[_Way, _Seen] = {}

    def see(self, origin: Provenance) -> None:
        """Takes note of how one call was made."""
        way = _Way(
            origin.model,
            origin.endpoint,
            origin.node,
            origin.tier,
            origin.prompt_template,
            origin.prompt_hash,
            origin.tip_version,
            origin.scripted,
        )
        if way not in self._ways and len(self._ways) >= _MOST_WAYS:
            return
        seen = self._ways.setdefault(way, _Seen())
        seen.calls += 1
        for name, value in origin.parameters.items():
            if name in seen.values or len(seen.values) < _MOST_VALUES:
                values = seen.values.setdefault(name, Counter())
                key = value if _is_number(value) else str(value)
                if key in values or len(values) < _MOST_VALUES:
                    values[key] += 1

    def recipes(self) -> tuple[Recipe, ...]:
        """The ways calls were made, most frequent first."""
        ordered = sorted(self._ways.items(), key=lambda item: -item[1].calls)
        return tuple(
            Recipe(calls=seen.calls, parameters=_in_words(seen), **msgspec.structs.asdict(way)) for way, seen in ordered
        )


def _in_words(seen: _Seen) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_values(seen.values[name])}" for name in sorted(seen.values))


def _values(values: Counter[object]) -> str:
    """`0.8`; `1 to 5` for numbers; the most frequent texts, and how many others."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) == len(values):
        low, high = min(numbers), max(numbers)
        return f"{low:,}" if low == high else f"{low:,} to {high:,}"
    listed = [str(value) for value, _ in values.most_common(_LISTED_VALUES)]
    rest = len(values) - len(listed)
    return " or ".join(listed) + (f" or {rest:,} others" if rest else "")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
