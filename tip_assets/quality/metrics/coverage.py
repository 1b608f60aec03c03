"""How a delivered set covers its plan: what was planned and never came, and what the calls took over of their plans.

Counts are of the whole set, by polars; what must be read in the text is of the sample.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import polars as pl

from tip_assets.quality.features.measured_call import MeasuredCall
from tip_assets.quality.features.moods import moods
from tip_assets.quality.features.plan_fit import mentioned_facts
from tip_assets.quality.metrics.intents import IntentReader, intent_reach
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.set_metric import SetMetric

_NAMED = 5
_NONE = "(none)"
# Scripted calls take every step and read 0.32 (retail) and 0.44 (healthcare): a step can be said in other words.
_INTENT_GOAL = "higher; to compare sets of one domain with, not with 1"
# What of a scenario is counted, and what a reader calls it.
_SCENARIO_COLUMNS = {
    "template": "templates",
    "complications": "complications",
    "resolution": "resolutions",
    "difficulty": "difficulties",
}


def counted_coverage(
    scenarios: pl.LazyFrame, personas: pl.LazyFrame, delivered: pl.LazyFrame, wanted_templates: Sequence[str] = ()
) -> list[SetMetric]:
    """From the sets of scenarios and personas and the delivered calls, all with their `index` in the plan.

    Args:
        scenarios: What was planned.
        personas: Who was planned; the callers' arcs of feeling are the tones of the calls.
        delivered: Calls that are left.
        wanted_templates: Those that could have been planned; empty leaves that row out.
    """
    came = delivered.select(pl.col("index").cast(pl.Int64)).drop_nulls().unique()
    arcs = personas.filter(pl.col("role") == "customer").select(
        "index", tones=pl.col("emotion_arc").list.join(" > ").replace("", _NONE)
    )
    planned = scenarios.select(
        "index", *(_as_text(scenarios, column).alias(name) for column, name in _SCENARIO_COLUMNS.items())
    ).join(arcs, on="index", how="left")
    there = planned.join(came, on="index", how="semi")
    rows = [_delivered_share(planned, there)]
    for name in (*_SCENARIO_COLUMNS.values(), "tones"):
        rows.append(_covered(name, _counts(planned, name), _counts(there, name)))
    if wanted_templates:
        rows.append(_planned_templates(wanted_templates, _counts(planned, "templates")))
    return rows


def read_coverage(
    calls: Iterable[tuple[Conversation, CallPlan]], steps: Mapping[str, str], amount: str
) -> list[SetMetric]:
    """From the text of calls with their plans.

    Args:
        calls: A sample of the delivered calls.
        steps: What each step of an intent path means, by name; empty where the domain is not known.
        amount: How many calls these are, in words.
    """
    reader = IntentReader(steps)
    facts: list[float] = []
    slots, said = Counter[str](), Counter[str]()
    arcs: list[float] = []
    paths: list[tuple[frozenset[str], tuple[str, ...]]] = []
    for conversation, plan in calls:
        call = MeasuredCall(conversation)
        mentioned = mentioned_facts(call, plan)
        slots.update(mentioned.keys())
        said.update(slot for slot, is_said in mentioned.items() if is_said)
        if mentioned:
            facts.append(fmean(mentioned.values()))
        if call.is_english:
            arcs += [fit] if (fit := moods(call, plan.customer).get("arc_fit")) is not None else []
            paths.append((reader.found_in(call), plan.scenario.intent_path))
    return [
        *_fact_rows(facts, {slot: said[slot] / count for slot, count in slots.items()}, amount),
        _row(
            "tones_followed",
            fmean(arcs) if arcs else None,
            "near 1",
            f"halves of a call whose words do not gainsay the caller's planned feelings; {_of(len(arcs), amount)}",
        ),
        _intent_row(paths, steps, amount),
    ]


def _as_text(frame: pl.LazyFrame, column: str) -> pl.Expr:
    """As text, or a list of texts that is never empty."""
    if isinstance(frame.collect_schema()[column], pl.List):
        return pl.when(pl.col(column).list.len() > 0).then(pl.col(column)).otherwise(pl.lit([_NONE]))
    return pl.col(column).cast(pl.String)


def _counts(frame: pl.LazyFrame, name: str) -> Counter[str]:
    """Calls by value; a list counts each of its values."""
    values = frame.select(name)
    if isinstance(values.collect_schema()[name], pl.List):
        values = values.explode(name)
    counted = values.select(pl.col(name).fill_null(_NONE).value_counts()).unnest(name).collect()
    return Counter(dict(zip(counted[name].to_list(), counted["count"].to_list(), strict=True)))


def _delivered_share(planned: pl.LazyFrame, there: pl.LazyFrame) -> SetMetric:
    asked, came = (int(frame.select(pl.len()).collect().item()) for frame in (planned, there))
    return _row(
        "plans_delivered",
        came / asked if asked else None,
        "1",
        f"{came:,} of {asked:,} planned calls" if asked else "nothing was planned",
    )


def _covered(name: str, planned: Counter[str], there: Counter[str]) -> SetMetric:
    """Share of the planned values that came; the distance is the total variation between the two spreads, 0-1."""
    if not planned or not there:
        return _row(f"{name}_covered", None, "1", "nothing was planned" if not planned else "no call was delivered")
    missing = sorted(set(planned) - set(there))
    apart = sum(abs(planned[key] / planned.total() - there[key] / there.total()) for key in planned) / 2
    lacking = f"; never delivered: {_listed(missing)}" if missing else ""
    return _row(
        f"{name}_covered",
        (len(planned) - len(missing)) / len(planned),
        "1",
        f"{len(planned) - len(missing)} of {len(planned)} planned{lacking}; the distance is the total variation "
        "between what was planned and what came",
        apart,
    )


def _planned_templates(wanted: Sequence[str], planned: Counter[str]) -> SetMetric:
    missing = sorted(set(wanted) - set(planned))
    lacking = f"; without a plan: {_listed(missing)}" if missing else ""
    return _row(
        "domain_templates_planned",
        (len(set(wanted)) - len(missing)) / len(set(wanted)),
        "1 in a set of a hundred calls or more",
        f"{len(set(wanted)) - len(missing)} of {len(set(wanted))} kinds of call of the domain{lacking}",
    )


def _fact_rows(facts: list[float], by_slot: Mapping[str, float], amount: str) -> list[SetMetric]:
    least = sorted(by_slot.items(), key=lambda item: (item[1], item[0]))[:_NAMED]
    named = ", ".join(f"{slot} {share:.0%}" for slot, share in least)
    return [
        _row(
            "facts_used",
            fmean(facts) if facts else None,
            "near 1",
            f"mean share of a call's planned facts that are said; {_of(len(facts), amount)}",
        ),
        _row(
            "slots_said",
            sum(share > 0 for share in by_slot.values()) / len(by_slot) if by_slot else None,
            "1",
            f"kinds of fact said in at least one call, of {len(by_slot)}; least said: {named}"
            if by_slot
            else "no plan has facts",
        ),
    ]


def _intent_row(
    paths: Sequence[tuple[frozenset[str], tuple[str, ...]]], steps: Mapping[str, str], amount: str
) -> SetMetric:
    if not steps:
        return _row("intents_recognised", None, _INTENT_GOAL, "the domain says nothing of its steps")
    reach = intent_reach(paths)
    if not reach.planned:
        return _row(
            "intents_recognised", None, _INTENT_GOAL, f"no step can be told by its words; {_of(len(paths), amount)}"
        )
    least = sorted(reach.by_step.items(), key=lambda item: (item[1], item[0]))[:_NAMED]
    named = ", ".join(f"{name} {share:.0%}" for name, share in least)
    return _row(
        "intents_recognised",
        reach.reached / reach.planned,
        _INTENT_GOAL,
        f"planned steps whose own words are said in an exchange, a lower bound on those reached; {len(reach.by_step)} "
        f"kinds of step looked for, {len(reach.not_told)} have words that every call says; least found: {named}; "
        f"{_of(len(paths), amount)}",
    )


def _row(name: str, value: float | None, goal: str, detail: str, apart: float | None = None) -> SetMetric:
    return SetMetric(name=name, group="coverage", value=value, goal=goal, detail=detail, distance=apart)


def _of(measured: int, amount: str) -> str:
    return f"{measured:,} {'call' if measured == 1 else 'calls'} measured of {amount}"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
