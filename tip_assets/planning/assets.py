"""The plan of a data set as assets: its specification, its scenarios and its personas.

Assets with check specs have no return annotation: Dagster would read it as the type of every output.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import msgspec
import polars as pl
from pydantic import Field

from tip_assets.catalogue import PLANNING
from tip_assets.partitions import DATASET_PARTITIONS, dataset_asset
from tip_assets.planning.launchpad import spec_from_launchpad
from tip_assets.platform import Platform
from tip_assets.steps import attempt_of, counted_table, shown_table
from tip_resources.domain.codec import to_builtins
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import Persona
from tip_resources.domain.scenario import Scenario
from tip_resources.launch.step_failures import clear_failures
from tip_resources.storage.sets import read_set, write_set


class RequestConfig(dg.Config):
    """For a data set that nobody asked for yet: what it should be. Leave both empty otherwise."""

    request: str = ""
    overrides: dict[str, Any] = Field(default_factory=dict)


@dataset_asset(
    group_name=PLANNING,
    kinds={"tip"},
)
def dataset_specs(context: dg.AssetExecutionContext, config: RequestConfig, platform: Platform):
    """What was asked for. The database row is the truth; the launchpad may create it, never contradict it."""
    requests = platform.requests()
    with clear_failures():
        spec = spec_from_launchpad(
            context.partition_key,
            config.request,
            config.overrides,
            known=requests.get(context.partition_key),
            libraries=platform.libraries(),
        )
        requests.add(spec, source="launchpad")
        requests.begin(spec.name, context.run.run_id, attempt_of(context.run))
    # `dagster job launch` starts a run for a partition that nobody added yet.
    context.instance.add_dynamic_partitions(DATASET_PARTITIONS, [spec.name])
    scratch = platform.layout().scratch(context.run.run_id, "dataset_specs")
    return dg.MaterializeResult(
        value=write_set([spec], DatasetSpec, scratch),
        metadata={
            "query": spec.query or "(none)",
            "asked": spec.count,
            "domain": spec.domain,
            "seed": spec.seed,
            "spec": shown_table(("field", "value"), _said(spec)),
        },
    )


@dataset_asset(
    group_name=PLANNING,
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "scenarios_are_complete",
            asset="scenarios",
            blocking=True,
            description="One scenario for every call asked for, no two the same.",
        )
    ],
)
def scenarios(context: dg.AssetExecutionContext, dataset_specs: pl.LazyFrame, platform: Platform):
    """What happens in each call: templates, complications, outcomes and facts, evenly or by a recipe's weights."""
    from tip_assets.planning.recipes import read_recipe
    from tip_assets.planning.scenario_engine import plan_scenarios

    spec = the_spec(dataset_specs)
    library = platform.library(spec.domain)
    scratch = platform.layout().scratch(context.run.run_id, "scenarios")
    with clear_failures():
        recipe = read_recipe(platform.settings().generation.recipe, platform.folder)
        frame = write_set(plan_scenarios(spec, library, recipe.weights_for(spec.domain)), Scenario, scratch)
    planned, distinct = _planned_and_distinct(frame)
    by_template = frame.group_by("template").len().sort("template").collect()
    sample = next(read_set(frame, Scenario))
    return dg.MaterializeResult(
        value=frame,
        metadata={
            "templates": counted_table("template", "calls", dict(by_template.iter_rows())),
            "distinct_scenarios": distinct,
            "recipe": recipe.name or "(plain)",
            "sample": dg.MetadataValue.md(_as_markdown(to_builtins(sample))),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="scenarios_are_complete",
                passed=planned == spec.count == distinct,
                metadata={"asked": spec.count, "planned": planned, "distinct": distinct},
            )
        ],
    )


@dataset_asset(
    group_name=PLANNING,
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "personas_are_complete",
            asset="personas",
            blocking=True,
            description="A customer with personal facts and an agent for every scenario.",
        )
    ],
)
def personas(
    context: dg.AssetExecutionContext, dataset_specs: pl.LazyFrame, scenarios: pl.LazyFrame, platform: Platform
):
    """Who speaks in each call. Their personal facts are the ground truth that scrubbing is measured by."""
    from tip_assets.planning.persona_generator import personas_for
    from tip_assets.planning.recipes import read_recipe

    spec = the_spec(dataset_specs)
    library = platform.library(spec.domain)
    with clear_failures():
        recipe = read_recipe(platform.settings().generation.recipe, platform.folder)
    scratch = platform.layout().scratch(context.run.run_id, "personas")
    planned = (person for scenario in read_set(scenarios, Scenario) for person in personas_for(spec, scenario, library))
    people = (recipe.persona(person) for person in planned)
    frame = write_set(people, Persona, scratch)
    roles = dict(frame.group_by("role").len().collect().iter_rows())
    without_facts = frame.filter(pl.col("facts").list.len() == 0).select(pl.len()).collect().item()
    fact_types = frame.explode("facts").select(pl.col("facts").struct.field("type").value_counts(sort=True)).collect()
    return dg.MaterializeResult(
        value=frame,
        metadata={
            # Types and counts only: the facts themselves are personal data and never reach metadata.
            "fact_types": counted_table("type", "facts", {row["type"]: row["count"] for row in fact_types["type"]}),
            "facts": sum(row["count"] for row in fact_types["type"]),
            "sample": dg.MetadataValue.md(_as_markdown(_without_facts(next(read_set(frame, Persona))))),
            "recipe": recipe.name or "(plain)",
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="personas_are_complete",
                passed=roles.get("customer") == roles.get("agent") == spec.count and not without_facts,
                metadata={"customers": roles.get("customer", 0), "agents": roles.get("agent", 0)},
            )
        ],
    )


def the_spec(frame: pl.LazyFrame) -> DatasetSpec:
    """The one row of `dataset_specs`."""
    return next(read_set(frame, DatasetSpec))


def _planned_and_distinct(scenarios: pl.LazyFrame) -> tuple[int, int]:
    """How many scenarios there are, and how many of them differ; in memory 8 bytes of each, not its facts."""
    complications = pl.col("complications").list.join(",")
    what_happens = pl.struct("template", complications, "resolution", "facts").hash()
    counted = scenarios.select(what_happens.alias("hash")).collect(engine="streaming")["hash"]
    return counted.len(), counted.n_unique()


def _without_facts(persona: Persona) -> dict[str, Any]:
    shown = to_builtins(msgspec.structs.replace(persona, name="", facts=()))
    return {key: value for key, value in shown.items() if key not in ("name", "facts")}


def _said(spec: DatasetSpec) -> Iterator[tuple[str, Any]]:
    """What the request says, field by field; what it leaves open is left out."""
    said = ((name, _in_words(value)) for name, value in to_builtins(spec).items())
    return ((name, words) for name, words in said if words)


def _as_markdown(value: Mapping[str, Any]) -> str:
    """A planned thing as a list of its fields."""
    said = ((name, _in_words(held)) for name, held in value.items())
    return "\n".join(f"- **{name}:** {words}" for name, words in said if words)


def _in_words(value: Any) -> str:
    """A plain value as people write it: lists with commas, fields with colons, nothing for None."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_in_words(held)}" for name, held in value.items() if held is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_in_words, value))
    return "" if value is None else str(value)
