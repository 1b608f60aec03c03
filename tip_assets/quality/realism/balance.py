"""Re-balancing of scenarios toward what is missing: what is measured, and which weights are meant to mend it.

Two things count as missing. A kind of call, complication or outcome of which fewer calls are good enough to deliver
than were planned; and what happens in calls of the reference (happenings.py) but hardly in ours, where the domain has
complications or outcomes that bring it. Like every change, a re-balancing is a guess that a trial confirms or not.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from tip_assets.planning.library.types import DomainLibrary
from tip_assets.planning.recipes import Recipe
from tip_assets.planning.scenario_weights import NONE, ScenarioWeights, raised
from tip_assets.quality.realism.discriminator import LEAST_CALLS, wilson
from tip_assets.quality.realism.happenings import HAPPENINGS, heard_in, shares
from tip_assets.quality.realism.sampling import Sample
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.scenario import Scenario

FIELDS: tuple[str, ...] = ScenarioWeights.__struct_fields__
_NOUNS = {"templates": "calls of the kind", "complications": "calls with", "resolutions": "calls that end with"}
_FACTORS = (2, 4)
# Differences below so many standard errors are chance, as for the features of style.
_STANDARD_ERRORS = 2.0


class Rebalancing(msgspec.Struct, frozen=True, kw_only=True):
    """Weights of `names` (by field) times `factor`, so that `mends` comes nearer to the share `wanted`.

    `mends` names a happening where `field` is empty, else what is planned in that field.
    """

    name: str
    why: str
    mends: str
    wanted: float
    gap: float
    names: dict[str, tuple[str, ...]]
    factor: int
    field: str = ""

    def apply(self, recipe: Recipe, domain: str) -> Recipe:
        """The recipe with the weights raised for calls of the domain."""
        before = recipe.weights_for(domain)
        after = {field: raised(getattr(before, field), names, self.factor) for field, names in self.names.items()}
        weights = {**recipe.weights, domain: msgspec.structs.replace(before, **after)}
        return msgspec.structs.replace(recipe, weights=weights)

    def marks(self, sample: Sample) -> list[bool]:
        """For each call that counts, whether it is one of what is missing."""
        if not self.field:
            return [self.mends in heard for heard in heard_in(list(sample.calls.values()))]
        return [self.mends in planned_of(sample.scenarios[index], self.field) for index in sorted(sample.passed)]


def planned_of(scenario: Scenario, field: str) -> tuple[str, ...]:
    """What a scenario has in a field of the weights."""
    if field == "templates":
        return (scenario.template,)
    return (scenario.complications or (NONE,)) if field == "complications" else (scenario.resolution,)


def rebalancings(
    sample: Sample,
    reference: Sequence[Conversation],
    library: DomainLibrary,
    *,
    tried: Collection[str],
    most: int,
) -> tuple[Rebalancing, ...]:
    """At most `most`, the largest gap first; those that `tried` names are not proposed again."""
    found = (*_not_heard(sample, reference, library), *_lost(sample))
    fresh = sorted((one for one in found if one.name not in tried), key=lambda one: -one.gap)
    return tuple(fresh[:most])


def shares_heard(calls: Sequence[Conversation]) -> Mapping[str, float]:
    """The share of calls in which each thing is heard to happen; empty where too few can be told."""
    heard = heard_in(calls)
    return shares(heard) if len(heard) >= LEAST_CALLS else {}


def _not_heard(sample: Sample, reference: Sequence[Conversation], library: DomainLibrary) -> list[Rebalancing]:
    sides = (list(sample.calls.values()), list(reference))
    ours, theirs = (shares_heard(calls) for calls in sides)
    if not ours or not theirs:
        return []
    counts = [len(heard_in(calls)) for calls in sides]
    found: list[Rebalancing] = []
    for name, happening in HAPPENINGS.items():
        share, wanted = ours[name], theirs[name]
        error = (share * (1 - share) / counts[0] + wanted * (1 - wanted) / counts[1]) ** 0.5
        names = _possible(happening.brought_by(library), sample, library)
        if wanted - share > _STANDARD_ERRORS * error and names:
            found.append(
                Rebalancing(
                    name=f"more calls with {happening.noun}",
                    why=f"heard in {share:.0%} of ours and {wanted:.0%} of the reference",
                    mends=name,
                    wanted=wanted,
                    gap=wanted - share,
                    names=names,
                    factor=_factor(wanted, share),
                )
            )
    return found


def _possible(
    names: Mapping[str, tuple[str, ...]], sample: Sample, library: DomainLibrary
) -> dict[str, tuple[str, ...]]:
    """Those that the kinds of calls in the sample can have; the others' weights would say nothing."""
    templates = [library.templates[name] for name in {scenario.template for scenario in sample.scenarios}]
    result: dict[str, tuple[str, ...]] = {}
    for field, given in names.items():
        can = {name for template in templates for name in getattr(template, field)}
        if kept := tuple(name for name in given if name in can):
            result[field] = kept
    return result


def _lost(sample: Sample) -> list[Rebalancing]:
    """What is delivered more seldom than the rest of what was planned, by more than chance (Wilson's intervals)."""
    found: list[Rebalancing] = []
    total = len(sample.scenarios)
    for field in FIELDS:
        planned: dict[str, list[bool]] = {}
        for scenario in sample.scenarios:
            for name in planned_of(scenario, field):
                planned.setdefault(name, []).append(scenario.index in sample.passed)
        for name, good in planned.items():
            rest_planned, rest_good = total - len(good), len(sample.passed) - sum(good)
            if not rest_planned or wilson(sum(good), len(good))[1] >= wilson(rest_good, rest_planned)[0]:
                continue
            wanted = len(good) / total
            rest = f"{rest_good} of {rest_planned} of the rest"
            found.append(
                Rebalancing(
                    name=f"more {_NOUNS[field]} {name}",
                    why=f"{sum(good)} of {len(good)} planned are good enough, {rest}",
                    mends=name,
                    wanted=wanted,
                    gap=wanted - (sum(good) / len(sample.passed) if sample.passed else 0.0),
                    names={field: (name,)},
                    factor=_factor(rest_good / rest_planned, sum(good) / len(good)),
                    field=field,
                )
            )
    return found


def _factor(wanted: float, share: float) -> int:
    low, high = _FACTORS
    return max(low, min(high, round(wanted / share))) if share else high
