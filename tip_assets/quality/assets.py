"""The quality layers as assets: distinct calls, and calls with their personal data found. Grades: graded_asset.py.

Assets with check specs have no return annotation: Dagster would read it as the type of every output.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
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
from tip_assets.quality.duplicates.meaning_progress import LoggedProgress
from tip_assets.quality.duplicates.removed import DUPLICATES, RemovedCall
from tip_assets.quality.duplicates.semantic_tier import semantic_tier
from tip_assets.quality.duplicates.whole_set import find_survivors
from tip_assets.quality.graded_asset import keep_quality_scores
from tip_assets.quality.pii.presidio import presidio_finder
from tip_assets.quality.screening import ScrubScreen, passing
from tip_assets.quality.scrubbing import redact
from tip_assets.steps import counted_table, shown_table
from tip_resources.domain.codec import to_builtins
from tip_resources.domain.conversation import Conversation
from tip_resources.launch.step_failures import clear_failures
from tip_resources.storage.sets import count_rows, read_set, write_set

# Removed calls, and calls held back, that the UI shows. All removed ones are in the set `duplicates`.
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
    search = partial(find_survivors, comparison=comparison, semantic=tier, progress=LoggedProgress(context.log.info))
    finders = tier.finders() if tier else ()
    with closing(search(raw, scratch / "search", earlier=delivered, finders=finders)) as found:
        frame = write_set(found.kept(raw()), Conversation, scratch / "kept")
        removed = write_set(found.removed(), RemovedCall, scratch / "removed")
    said, total = tier.said if tier else why_not, count_rows(raw_conversations)
    if total and not count_rows(frame):
        context.log.warning(f"nothing is left: each of {total} calls repeats one that another set delivered.")
    platform.store_set(DUPLICATES, dataset, removed, scratch)

    def kept() -> Iterator[Conversation]:
        return read_set(frame, Conversation)

    with closing(search(kept, scratch / "check")) as anew:
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
    with clear_failures():
        also = presidio_finder() if settings.quality.presidio else None
    screen = ScrubScreen(settings.exports.styles_used, platform.redaction_key(spec.name), also)
    good = read_set(graded_conversations, Conversation, where=passing(settings.quality.minimum_score))
    scratch = platform.layout().scratch(context.run.run_id, "scrubbed_conversations")
    planned = with_plans(good, read_plans(scenarios, personas))
    with clear_failures():
        frame = write_set(screen.screen(planned), Conversation, scratch)
        kept = sketched(read_set(frame, Conversation))
        platform.delivered().replace_dataset(
            spec.name, (sketch for batch in kept for _, sketch in batch), domain=spec.domain
        )
        keep_quality_scores(platform, spec.name, frame, scratch)
    sample = next(read_set(frame, Conversation), None)
    return dg.MaterializeResult(
        value=frame,
        metadata={
            **scrub_metadata(screen),
            "sample": dg.MetadataValue.md(readable(redact(sample, "type_tag")) if sample else "(no call)"),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_known_facts_left",
                passed=screen.passed > 0 and screen.held_back_share <= settings.quality.blocked_share,
                description=scrub_verdict(screen, settings.quality.blocked_share),
                metadata={
                    "passed": screen.passed,
                    "held_back": len(screen.held_back),
                    "held_back_share": screen.held_back_share,
                    "blocked_share": settings.quality.blocked_share,
                },
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
        "removed_by_method": counted_table("method", "calls", by_method),
        "duplicate_share": round(count / total, 4) if total else 0.0,
        "of_other_sets": count_rows(removed.filter(pl.col("dataset_of") != "")),
        "least_alike": shown_table(examples.columns, examples.iter_rows()),
    }


def scrub_verdict(screen: ScrubScreen, blocked_share: float) -> str:
    """What the check says of a scrubbed set, in words."""
    total, held_back = screen.passed + len(screen.held_back), len(screen.held_back)
    if not total:
        return "There was no call to scrub: none passed the grades."
    if not screen.passed:
        return f"Blocked: personal data could not be scrubbed from any of the {total} calls."
    if screen.held_back_share > blocked_share:
        return (
            f"Blocked: {held_back} of {total} calls ({screen.held_back_share:.1%}) still held a personal fact after "
            f"scrubbing; quality.blocked_share allows {blocked_share:.1%}. Nothing is exported. held_back_by_reason "
            "says which kinds of facts."
        )
    return f"{held_back} of {total} calls held back; no known fact is left in the others."


def scrub_metadata(screen: ScrubScreen) -> dict[str, Any]:
    """What was found and held back, as numbers and as a table; types only, never the data."""
    kinds = screen.spans_by_type.most_common()
    records = [dg.TableRecord({"type": kind, "source": source, "places": count}) for (kind, source), count in kinds]
    columns = [dg.TableColumn("type", "string"), dg.TableColumn("source", "string"), dg.TableColumn("places", "int")]
    by_type, by_source = Counter[str](), Counter[str]()
    for (kind, source), count in kinds:
        by_type[kind] += count
        by_source[source] += count
    return {
        "personal_data": dg.MetadataValue.table(records, dg.TableSchema(columns)),
        "spans_by_type": dg.MetadataValue.md(_bars(by_type)),
        "spans_by_source": counted_table("found by", "places", by_source),
        "places_of_personal_data": dg.MetadataValue.int(screen.spans_by_type.total()),
        "calls_with_spans": dg.MetadataValue.int(screen.calls_with_spans),
        "calls_held_back": dg.MetadataValue.int(len(screen.held_back)),
        "held_back": shown_table(("call", "could not be scrubbed of"), _some_held_back(screen)),
        "held_back_by_reason": counted_table("reason", "calls", screen.held_back_by_reason),
    }


def _some_held_back(screen: ScrubScreen) -> Iterator[tuple[str, str]]:
    """The first calls held back, with the kinds of facts left in them."""
    return ((call, ", ".join(kinds)) for call, kinds in islice(screen.held_back.items(), _MOST_EXAMPLES))


def _bars(counts: Counter[str]) -> str:
    """A bar for every type, the longest 20 characters, as a code block."""
    if not counts:
        return "(none found)"
    most, width = max(counts.values()), max(map(len, counts))
    lines = [
        f"{kind:{width}}  {'#' * max(1, round(20 * count / most))} {count:,}" for kind, count in counts.most_common()
    ]
    return "```\n" + "\n".join(lines) + "\n```"
