"""The quality layers as assets: distinct calls, and calls with their personal data found. Grades: graded_asset.py.

Assets with check specs have no return annotation: Dagster would read it as the type of every output.
"""

import dagster as dg
import polars as pl

from tip_assets.catalogue import QUALITY
from tip_assets.generation.assets import readable
from tip_assets.partitions import dataset_asset
from tip_assets.planning.assets import the_spec
from tip_assets.planning.plan_sets import read_plans, with_plans
from tip_assets.platform import Platform
from tip_assets.quality.duplicates.fingerprints import fingerprints
from tip_assets.quality.duplicates.index import deduplicate
from tip_assets.quality.graded_asset import keep_quality_scores
from tip_assets.quality.screening import DuplicateScreen, ScrubScreen, passing
from tip_assets.quality.scrubbing import redact
from tip_assets.steps import clear_failures
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.sets import read_set, write_set


@dataset_asset(
    group_name=QUALITY,
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "no_duplicates_left",
            asset="deduped_conversations",
            blocking=True,
            description="No two calls of the set are the same, by an index built anew from what was stored.",
        )
    ],
)
def deduped_conversations(context: dg.AssetExecutionContext, raw_conversations: pl.LazyFrame, platform: Platform):
    """Calls that differ from each other and from everything other sets delivered. Holds personal data."""
    delivered, dataset = platform.delivered(), context.partition_key

    def elsewhere(prints: list[str]) -> dict[str, str]:
        found = delivered.find(prints, excluding_dataset=dataset)
        return {fingerprint: owner[0] for fingerprint, owner in found.items()}

    screen = DuplicateScreen(elsewhere)
    scratch = platform.layout().scratch(context.run.run_id, "deduped_conversations")
    frame = write_set(screen.screen(read_set(raw_conversations, Conversation)), Conversation, scratch)
    left = sum(1 for _, match in deduplicate(read_set(frame, Conversation)) if match is not None)
    return dg.MaterializeResult(
        value=frame,
        metadata={
            "duplicates_removed": len(screen.removed),
            "removed": dg.MetadataValue.json(
                [
                    {"id": match.id, "duplicate_of": match.duplicate_of, "method": match.method}
                    for match in screen.removed
                ]
            ),
        },
        check_results=[
            dg.AssetCheckResult(check_name="no_duplicates_left", passed=left == 0, metadata={"duplicates": left})
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
        platform.delivered().replace_dataset(
            spec.name,
            ((call.id, fingerprints(call).normalized) for call in read_set(frame, Conversation)),
        )
        keep_quality_scores(platform, spec.name, frame)
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
