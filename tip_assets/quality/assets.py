"""The quality layers as assets: distinct calls, graded calls, and calls with their personal data found.

Assets with check specs have no return annotation: Dagster would read it as the type of every output.
"""

from collections import Counter

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
from tip_assets.quality.pii.presidio import presidio_finder
from tip_assets.quality.screening import DuplicateScreen, ScrubScreen, mean_grades, passing, with_grades
from tip_assets.quality.scrubbing import redact
from tip_assets.steps import clear_failures
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.sets import count_rows, read_set, write_set

# A set is called sound when this share of its calls passes (mission: 95 %+ validation pass rate).
EXPECTED_PASS_RATE = 0.95


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
    with clear_failures():
        also = presidio_finder() if settings.quality.presidio else None
    screen = ScrubScreen(settings.exports.styles_used, platform.redaction_key(spec.name), also)
    good = read_set(graded_conversations.filter(passing(settings.quality.minimum_score)), Conversation)
    scratch = platform.layout().scratch(context.run.run_id, "scrubbed_conversations")
    planned = with_plans(good, read_plans(scenarios, personas))
    with clear_failures():
        frame = write_set(screen.screen(planned), Conversation, scratch)
        platform.delivered().replace_dataset(
            spec.name,
            ((call.id, fingerprints(call).normalized) for call in read_set(frame, Conversation)),
        )
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


def scrub_metadata(screen: ScrubScreen) -> dict[str, dg.MetadataValue]:
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
        "personal_data_by_type": dg.MetadataValue.md(_bars(by_type)),
        "spans_by_type": dg.MetadataValue.json(dict(by_type)),
        "spans_by_source": dg.MetadataValue.json(dict(by_source)),
        "calls_with_personal_data": dg.MetadataValue.int(screen.calls_with_spans),
        "held_back": dg.MetadataValue.json(screen.held_back),
        "held_back_by_reason": dg.MetadataValue.json(dict(screen.held_back_by_reason.most_common())),
    }


def _bars(counts: Counter[str]) -> str:
    """A bar for every type, the longest 40 characters, as a code block."""
    if not counts:
        return "(none found)"
    most, width = max(counts.values()), max(map(len, counts))
    lines = [
        f"{kind:{width}}  {'#' * max(1, round(40 * count / most))} {count:,}" for kind, count in counts.most_common()
    ]
    return "```\n" + "\n".join(lines) + "\n```"
