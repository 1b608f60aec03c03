"""Call plans read back from the scenario and persona sets, in plan order."""

from collections.abc import Iterable, Iterator

import polars as pl

from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.persona import Persona
from tip_resources.domain.scenario import Scenario
from tip_resources.storage.sets import read_set


def read_plans(
    scenarios: pl.LazyFrame, personas: pl.LazyFrame, start: int = 0, stop: int | None = None
) -> Iterator[CallPlan]:
    """Plans with start <= index < stop. Both sets are in index order, a customer before its agent."""
    wanted = pl.col("index") >= start
    if stop is not None:
        wanted &= pl.col("index") < stop
    people = read_set(personas, Persona, wanted)
    for scenario in read_set(scenarios, Scenario, wanted):
        customer, agent = next(people), next(people)
        yield CallPlan(index=scenario.index, scenario=scenario, customer=customer, agent=agent)


def with_plans(
    conversations: Iterable[Conversation], plans: Iterable[CallPlan]
) -> Iterator[tuple[Conversation, CallPlan]]:
    """Each conversation with its plan; both come in index order, so one pass over each is enough."""
    remaining = iter(plans)
    for conversation in conversations:
        for plan in remaining:
            if plan.index == conversation.index:
                yield conversation, plan
                break
        else:
            raise ValueError(f"conversation {conversation.id} (index {conversation.index}) has no plan")
