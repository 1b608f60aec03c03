"""How often things happen in planned calls beyond even coverage. Pure; the recipe that holds weights is recipes.py.

A weight is a whole number: one of weight 3 is planned three times as often as one of weight 1, one of weight 0 never.
What has no weight has 1, and where nothing has a weight the plan is that of a set without a recipe.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from tip_resources.domain.failures import BadInput

T = TypeVar("T")

# The name under `complications` of a call in which nothing goes wrong.
NONE = "none"
MOST = 20


class ScenarioWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights, 0 to 20, by name, for the calls of one domain. Where two things go wrong, their weights multiply."""

    templates: dict[str, int] = {}
    complications: dict[str, int] = {}
    resolutions: dict[str, int] = {}

    def of_complications(self, names: tuple[str, ...]) -> int:
        """The weight of what goes wrong in a call."""
        weight = 1
        for name in names or (NONE,):
            weight *= self.complications.get(name, 1)
        return weight


EVEN = ScenarioWeights()


def repeated(choices: Iterable[tuple[T, int]], field: str, whose: str) -> list[T]:
    """Each choice as often as its weight, in order.

    Args:
        field: The field of the recipe that holds the weights, for the error.
        whose: What there would be no choice for.

    Raises:
        BadInput: All of them weigh 0.
    """
    result = [choice for choice, weight in choices for _ in range(weight)]
    if not result:
        raise BadInput(
            f"every choice of {whose} weighs 0, so no call can be planned.",
            where=f"weights.{field}",
            mend="Give one of them a weight of 1 or more.",
        )
    return result


def raised(weights: Mapping[str, int], names: Iterable[str], factor: int) -> dict[str, int]:
    """`weights` with those of `names` times `factor` (what had 0 gets `factor`), 20 at most."""
    return {**weights, **{name: min(MOST, max(1, weights.get(name, 1)) * factor) for name in names}}
