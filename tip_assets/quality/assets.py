"""The quality layers as assets: distinct calls, graded calls, and calls with their personal data found.

Assets with check specs have no return annotation: Dagster would read it as the type of every output.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import dagster as dg
import polars as pl

from tip_assets.catalogue import QUALITY
from tip_assets.generation.assets import readable
from tip_assets.partitions import dataset_asset
from tip_assets.planning.assets import the_spec
from tip_assets.planning.plan_sets import read_plans, with_plans
from tip_assets.platform import Platform
from tip_assets.quality.duplicates.comparison import Comparison, sketched, word_thresholds
from tip_assets.quality.duplicates.earlier_calls import DeliveredCalls
from tip_assets.quality.duplicates.removed import DUPLICATES, RemovedCall
from tip_assets.quality.duplicates.semantic_tier import semantic_tier
from tip_assets.quality.duplicates.whole_set import find_survivors
from tip_assets.quality.screening import ScrubScreen, mean_grades, passing, with_grades
from tip_assets.quality.scrubbing import redact
from tip_assets.steps import clear_failures
from tip_resources.domain.codec import to_builtins
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.sets import count_rows, read_set, write_set

# A set is called sound when this share of its calls passes (mission: 95 %+ validation pass rate).
EXPECTED_PASS_RATE = 0.95
# Removed calls shown in the UI; all of them are in the set `duplicates`.
_MOST_EXAMPLES = 20


@dataset_asset(
    group_name=QUALITY,
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "no_duplicates_left",
            asset="deduped_conversations",
            blocking=True,
            description="No two calls of the set are the same, by all methods, on an index built anew from what was "
            "stored.",
        )
    ],
)
def deduped_conversations(context: dg.AssetExecutionContext, raw_conversations: pl.LazyFrame, platform: Platform):
    """Calls that differ from each other and from everything other sets delivered. Holds personal data."""
    quality, dataset = platform.settings().quality, context.partition_key
    thresholds = word_thresholds(quality)
    comparison, (tier, why_not) = Comparison(thresholds=thresholds), semantic_tier(quality)
    scratch = platform.layout().scratch(context.run.run_id, "deduped_conversations")

    def raw() -> Iterator[Conversation]:
        return read_set(raw_conversations, Conversation)

    delivered = DeliveredCalls(platform.delivered(excluding=dataset), thresholds)
    with closing(find_survivors(raw, scratch / "search", comparison, earlier=delivered, semantic=tier)) as found:
        frame = write_set(found.kept(raw()), Conversation, scratch / "kept")
        removed = write_set(found.removed(), RemovedCall, scratch / "removed")
    said, total = tier.said if tier else why_not, count_rows(raw_conversations)
    if total and not count_rows(frame):
        context.log.warning(f"nothing is left: each of {total} calls repeats one that another set delivered.")
    platform.store_set(DUPLICATES, dataset, removed, scratch)

    def kept() -> Iterator[Conversation]:
        return read_set(frame, Conversation)

    with closing(find_survivors(kept, scratch / "check", comparison, semantic=tier)) as anew:
        left = list(islice(anew.removed(), _MOST_EXAMPLES))
    return dg.MaterializeResult(
        value=frame,
        metadata={**_of_removed(removed, total), "meaning": said},
        check_results=[
            dg.AssetCheckResult(
                check_name="no_duplicates_left",
                passed=not left,
                metadata={"duplicates": len(left), "examples": dg.MetadataValue.json(to_builtins(left))},
            )
        ],
    )


@dataset_asset(
    group_name=QUALITY,
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "enough_pass",
            asset="graded_conversations",
            description="At least 95 % of the calls reach quality.minimum_score.",
        )
    ],
)
def graded_conversations(
    context: dg.AssetExecutionContext,
    deduped_conversations: pl.LazyFrame,
    scenarios: pl.LazyFrame,
    personas: pl.LazyFrame,
    platform: Platform,
):
    """Every distinct call with its grade: realism, coherence, naturalness, overall. Holds personal data."""
    minimum_score = platform.settings().quality.minimum_score
    planned = with_plans(read_set(deduped_conversations, Conversation), read_plans(scenarios, personas))
    scratch = platform.layout().scratch(context.run.run_id, "graded_conversations")
    frame = write_set(with_grades(planned), Conversation, scratch)
    total = count_rows(frame)
    passed = count_rows(frame.filter(passing(minimum_score)))
    pass_rate = passed / total if total else 0.0
    return dg.MaterializeResult(
        value=frame,
        metadata={"passed": passed, "pass_rate": round(pass_rate, 4), **mean_grades(frame)},
        check_results=[
            dg.AssetCheckResult(
                check_name="enough_pass",
                passed=pass_rate >= EXPECTED_PASS_RATE,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"pass_rate": pass_rate, "minimum_score": minimum_score},
            )
        ],
    )


@dataset_asset(
    group_name=QUALITY,
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "no_known_facts_left",
            asset="scrubbed_conversations",
            blocking=True,
            description="Calls with a personal fact that cannot be scrubbed are held back, and they are few.",
        )
    ],
)
def scrubbed_conversations(
    context: dg.AssetExecutionContext,
    dataset_specs: pl.LazyFrame,
    graded_conversations: pl.LazyFrame,
    scenarios: pl.LazyFrame,
    personas: pl.LazyFrame,
    platform: Platform,
):
    """Passing calls with the spans of their personal data; every export applies its own style to them."""
    spec, settings = the_spec(dataset_specs), platform.settings()
    screen = ScrubScreen()
    good = read_set(graded_conversations.filter(passing(settings.quality.minimum_score)), Conversation)
    scratch = platform.layout().scratch(context.run.run_id, "scrubbed_conversations")
    planned = with_plans(good, read_plans(scenarios, personas))
    with clear_failures():
        frame = write_set(screen.screen(planned), Conversation, scratch)
        kept = sketched(read_set(frame, Conversation))
        platform.delivered().replace_dataset(
            spec.name, (sketch for batch in kept for _, sketch in batch), domain=spec.domain
        )
    sample = next(read_set(frame, Conversation), None)
    return dg.MaterializeResult(
        value=frame,
        metadata={
            "spans_by_type": dg.MetadataValue.json(dict(screen.spans_by_type.most_common())),
            "spans_by_source": dg.MetadataValue.json(dict(screen.spans_by_source)),
            "held_back": dg.MetadataValue.json(screen.held_back),
            "sample": dg.MetadataValue.md(readable(redact(sample, "type_tag")) if sample else "(no call)"),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_known_facts_left",
                passed=screen.passed > 0 and screen.held_back_share <= settings.quality.blocked_share,
                metadata={"passed": screen.passed, "held_back": len(screen.held_back)},
            )
        ],
    )


def _of_removed(removed: pl.LazyFrame, total: int) -> dict[str, Any]:
    """What is told of removed calls: counts, and ids of some with the calls they repeat. No text."""
    by_method = dict(removed.group_by("method").len().sort("len", descending=True).collect().iter_rows())
    count = sum(by_method.values())
    examples = removed.sort("similarity").head(_MOST_EXAMPLES).collect()
    return {
        "duplicates_removed": count,
        "removed_by_method": dg.MetadataValue.json(by_method),
        "duplicate_share": round(count / total, 4) if total else 0.0,
        "of_other_sets": count_rows(removed.filter(pl.col("dataset_of") != "")),
        "least_alike": dg.MetadataValue.json(examples.to_dicts()),
    }
