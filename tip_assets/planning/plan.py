"""The plan of a data set: for each call its scenario and its two people."""

from collections.abc import Iterator

from tip_assets.planning.library.types import DomainLibrary
from tip_assets.planning.persona_generator import personas_for
from tip_assets.planning.scenario_engine import scenario_at
from tip_assets.planning.scenario_weights import EVEN, ScenarioWeights
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.dataset_spec import DatasetSpec


def call_plan_at(spec: DatasetSpec, library: DomainLibrary, index: int, weights: ScenarioWeights = EVEN) -> CallPlan:
    """The plan of call `index` (from 0), whatever was planned before.

    Raises:
        BadInput: The spec asks for something the domain does not have.
    """
    scenario = scenario_at(spec, library, index, weights)
    customer, agent = personas_for(spec, scenario, library)
    return CallPlan(index=index, scenario=scenario, customer=customer, agent=agent)


def plan_calls(spec: DatasetSpec, library: DomainLibrary, weights: ScenarioWeights = EVEN) -> Iterator[CallPlan]:
    """All planned calls of a data set, in order, one at a time."""
    return (call_plan_at(spec, library, index, weights) for index in range(spec.count))
