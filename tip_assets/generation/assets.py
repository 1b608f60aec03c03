"""raw_conversations: plan, one step per shard, collect. The loop itself is in write_calls.py."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
import polars as pl

from tip_assets.catalogue import CODE_VERSION, GENERATION, OWNERS, RUN_POOL
from tip_assets.generation.acceptance import scrubbed
from tip_assets.generation.collect import REJECTS, count_reasons, kept_conversations
from tip_assets.generation.conversations import call_identity
from tip_assets.generation.decisions import DecisionLog
from tip_assets.generation.engine import SharedRecords
from tip_assets.generation.glossary import prompt_by
from tip_assets.generation.performance_plot import performance_markdown
from tip_assets.generation.progress import ProgressLog
from tip_assets.generation.prompt_files import keep_prompt, kept_prompt, template_of
from tip_assets.generation.room import write_with_room
from tip_assets.generation.sharding import Shard, shards
from tip_assets.generation.spending import Spending, SpendingReport, stopped_note
from tip_assets.generation.stopping import StopsForRoom
from tip_assets.generation.write_calls import WritingProgress, WritingSummary
from tip_assets.generation.writing import Written, write_plans
from tip_assets.partitions import datasets
from tip_assets.planning.assets import the_spec
from tip_assets.planning.plan_sets import read_plans, with_plans
from tip_assets.planning.recipes import read_recipe
from tip_assets.platform import Platform
from tip_assets.quality.duplicates.comparison import word_thresholds
from tip_assets.quality.duplicates.earlier_calls import DeliveredCalls
from tip_assets.steps import counted_table, shown_table, spending_table
from tip_resources.database.performance import PerformanceStore
from tip_resources.domain.codec import from_builtins, to_builtins
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import TransientFailure
from tip_resources.domain.priority import Priority
from tip_resources.domain.reject import Reject
from tip_resources.launch.step_failures import clear_failures
from tip_resources.llm.prices import load_prices
from tip_resources.llm.types import Endpoint
from tip_resources.settings.layers import node_name
from tip_resources.settings.live import LiveSettings
from tip_resources.storage.layout import Layout
from tip_resources.storage.sets import count_rows, read_set, write_set

# Values between the ops of the graph live with the run, not with the asset.
_RUN_SCOPED = "run_scoped_io_manager"

# A run with this tag set to "true" writes every call anew instead of keeping what earlier runs finished.
FRESH_TAG = "tip/fresh"

_CHECK = "delivered_as_asked"
# What is told of an endpoint.
_ENDPOINT_COLUMNS = ("url", "model", "node", "tier")
# A graph asset takes its set and its check results as outputs of these names.
_OUTPUTS = ("result", f"raw_conversations_{_CHECK}")


@dg.op(out=dg.DynamicOut(io_manager_key=_RUN_SCOPED), pool=RUN_POOL)
def plan_shards(
    context: dg.OpExecutionContext, dataset_specs: pl.LazyFrame, platform: Platform
) -> Iterator[dg.DynamicOutput[dict[str, int]]]:
    """Cuts the plan into slices; one slice unless the set is very large. A fresh sample forgets what was kept."""
    spec = the_spec(dataset_specs)
    if context.run.tags.get(FRESH_TAG) == "true" and context.retry_number == 0:
        platform.checkpoint(spec.name).clear()
    for shard in shards(spec.count, platform.settings().generation.shard_calls):
        yield dg.DynamicOutput(to_builtins(shard), mapping_key=shard.key)


@dg.op(
    out=dg.Out(io_manager_key=_RUN_SCOPED),
    pool=RUN_POOL,
    # A lost worker or a server that was away: what is finished is kept, so trying again costs little.
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5),
)
def write_shard(
    context: dg.OpExecutionContext,
    shard: dict[str, int],
    dataset_specs: pl.LazyFrame,
    scenarios: pl.LazyFrame,
    personas: pl.LazyFrame,
    platform: Platform,
) -> dict[str, Any]:
    """Has language models write one slice of the calls, and keeps what is good."""
    spec, part = the_spec(dataset_specs), from_builtins(shard, Shard)
    started = time.monotonic()
    checkpoint = platform.checkpoint(spec.name)
    progress = ProgressLog(context.log.info, platform.requests(), spec.name)
    live = LiveSettings(platform.folder)
    decisions = DecisionLog(context.log.info, lambda: live.current().debug)

    def on_progress(moment: WritingProgress) -> None:
        progress(moment)
        decisions(moment)

    def priority() -> Priority:
        """As it is now: `tip priority` may change it while we write. A set nobody asked for has that of its spec."""
        request = platform.requests().get(spec.name)
        return spec.priority if request is None else request.spec.priority

    def counted() -> Spending:
        """Of this attempt; what earlier ones spent is on record."""
        spending = Spending(
            spec.budget,
            load_prices(platform.folder),
            batch_api=spec.batch_api,
            earlier=checkpoint.usages().values(),
            share=(part.stop - part.start) / spec.count,
        )
        progress.counts(spending.report)
        return spending

    with clear_failures():
        delivered = DeliveredCalls(
            platform.delivered(excluding=spec.name), word_thresholds(platform.settings().quality)
        )
        recipe = read_recipe(platform.settings().generation.recipe, platform.folder)
        prompt = prompt_by(platform.library(spec.domain), recipe)
        prompt_kept = keep_prompt(prompt, spec.mode, platform.layout())

        def write(spending: Spending, stop: StopsForRoom) -> Written:
            return write_plans(
                spec,
                lambda: read_plans(scenarios, personas, part.start, part.stop),
                prompt=prompt,
                settings=platform.settings,
                patience_seconds=platform.settings().engine.unavailable_limit_seconds,
                checkpoint=checkpoint,
                delivered=delivered,
                on_endpoints=lambda found: context.log.info(f"written by {', '.join(map(_public_name, found))}"),
                on_progress=on_progress,
                on_notice=progress.notice,
                spending=spending,
                shared=SharedRecords(
                    platform.database(), context.run.run_id, node_name(os.environ), priority(), priority
                ),
                fleet=platform.fleet_servers,
                stop=stop,
                live=live.current,
                redaction_key=platform.redaction_key(spec.name),
            )

        written, spending = write_with_room(write, counted, platform.shortage_of_room, progress.notice)
    seconds, summary = time.monotonic() - started, written.summary
    context.log.info(f"kept {summary.kept} of {summary.asked} in {seconds:.1f} s")
    if summary.stopped and summary.kept < summary.asked:
        context.log.warning(stopped_note(summary.stopped, kept=summary.kept, asked=summary.asked))
    if summary.kept == 0:
        raise TransientFailure(_nothing_kept(summary))
    return {
        **to_builtins(summary),
        "prompt_hash": prompt.hash,
        "prompt_kept": prompt_kept,
        "recipe": recipe.name,
        "seconds": seconds,
        "endpoints": [_public(item) for item in written.endpoints],
        "spending": to_builtins(spending.report()),
    }


@dg.op(
    out={_OUTPUTS[0]: dg.Out(io_manager_key="io_manager"), _OUTPUTS[1]: dg.Out(io_manager_key=_RUN_SCOPED)},
    pool=RUN_POOL,
)
def collect_shards(
    context: dg.OpExecutionContext,
    written: list[dict[str, Any]],
    dataset_specs: pl.LazyFrame,
    scenarios: pl.LazyFrame,
    personas: pl.LazyFrame,
    platform: Platform,
):
    """Puts the kept calls of all slices into one set, in plan order."""
    spec, checkpoint, layout = the_spec(dataset_specs), platform.checkpoint(context.partition_key), platform.layout()
    checkpoint.remove_half_written()
    endpoints = [endpoint for shard in written for endpoint in shard["endpoints"]]
    models = tuple(sorted({endpoint["model"] for endpoint in endpoints}))
    scripted = all(endpoint["scripted"] for endpoint in endpoints)
    # As it was when the calls were written: the setting may name another recipe by now.
    prompt_hash = written[0]["prompt_hash"]
    identities = (
        (plan.index, call_identity(plan, spec, prompt_hash=prompt_hash, models=models, scripted=scripted))
        for plan in read_plans(scenarios, personas)
    )
    scratch = layout.scratch(context.run.run_id, "raw_conversations")
    frame = write_set(kept_conversations(checkpoint, identities), Conversation, scratch / "kept")
    rejects = write_set(checkpoint.rejects(), Reject, scratch / "rejects")
    reasons = count_reasons(rejects)
    platform.store_set(REJECTS, spec.name, rejects, scratch)
    delivered = count_rows(frame)
    plans = read_plans(scenarios, personas)
    metadata = _metadata(spec, frame, written, reasons, plans)
    samples = PerformanceStore(platform.database()).samples_of_run(context.run.run_id)
    metadata |= _prompt_metadata(spec, written[0]["prompt_kept"], layout)
    metadata["speed"] = dg.MetadataValue.md(performance_markdown(samples))
    yield dg.Output(frame, output_name=_OUTPUTS[0], metadata=metadata)
    yield dg.AssetCheckResult(
        asset_key="raw_conversations",
        check_name=_CHECK,
        passed=delivered == spec.count,
        severity=dg.AssetCheckSeverity.WARN if delivered else dg.AssetCheckSeverity.ERROR,
        metadata={"asked": spec.count, "delivered": delivered, "rejected": dg.MetadataValue.json(reasons)},
    )


@dg.graph_asset(
    partitions_def=datasets,
    group_name=GENERATION,
    owners=OWNERS,
    kinds={"openai", "parquet"},
    code_version=CODE_VERSION,
    description="The calls as written: valid, new, above the quick grade, in plan order. Holds personal data.",
    check_specs=[
        dg.AssetCheckSpec(
            _CHECK,
            asset="raw_conversations",
            blocking=True,
            description="As many calls as were asked for. A short set is exported as far as it goes; an empty one not.",
        )
    ],
)
def raw_conversations(dataset_specs: pl.LazyFrame, scenarios: pl.LazyFrame, personas: pl.LazyFrame):
    """Plan, one mapped step per shard, collect."""
    written = plan_shards(dataset_specs).map(lambda shard: write_shard(shard, dataset_specs, scenarios, personas))
    return dict(zip(_OUTPUTS, collect_shards(written.collect(), dataset_specs, scenarios, personas), strict=True))


def _metadata(
    spec: DatasetSpec, frame: pl.LazyFrame, written: list[dict[str, Any]], reasons: dict[str, int], plans: Iterable[Any]
) -> dict[str, Any]:
    first = next(with_plans(read_set(frame, Conversation), plans), None)
    seconds = max((shard["seconds"] for shard in written), default=0.0)
    tokens_out = sum(shard["tokens_out"] for shard in written)
    failures = sum((Counter(shard["failures"]) for shard in written), Counter[str]())
    endpoints = {tuple(map(str, endpoint.values())): endpoint for shard in written for endpoint in shard["endpoints"]}
    spending = [from_builtins(shard["spending"], SpendingReport) for shard in written]
    metadata: dict[str, Any] = {
        "asked": spec.count,
        "rejected_answers": sum(reasons.values()),
        "rejected_by_reason": counted_table("reason", "answers", reasons),
        "failed_model_calls": failures.total(),
        "failures_by_kind": counted_table("kind of failure", "model calls", failures),
        "reused_from_checkpoint": sum(shard["reused"] for shard in written),
        "model_calls": sum(shard["model_calls"] for shard in written),
        "tokens_in": sum(shard["tokens_in"] for shard in written),
        "tokens_out": tokens_out,
        "seconds": round(seconds, 2),
        "tokens_per_second": round(tokens_out / seconds, 1) if seconds else 0.0,
        "spending": spending_table(spending),
        "uncounted_model_calls": sum(one.uncounted for one in spending),
        "stopped": "; ".join(sorted({shard["stopped"] for shard in written if shard["stopped"]})) or "(no)",
        "batch": f"{written[0]['batch_size']} ({written[0]['batch_reason']})" if written else "",
        "endpoints": shown_table(
            _ENDPOINT_COLUMNS, ([endpoint[name] for name in _ENDPOINT_COLUMNS] for endpoint in endpoints.values())
        ),
        "recipe": (written[0]["recipe"] if written else "") or "(plain)",
        "scripted": all(endpoint["scripted"] for shard in written for endpoint in shard["endpoints"]),
    }
    if first is not None:
        # Scrubbed, like everything a person sees in Dagster.
        metadata["sample"] = dg.MetadataValue.md(readable(scrubbed(*first)))
    return metadata


def _prompt_metadata(spec: DatasetSpec, prompt_hash: str, layout: Layout) -> dict[str, Any]:
    """The exact words the calls were asked with, and the file that holds them."""
    return {
        "prompt_template": template_of(spec.mode),
        "prompt_hash": prompt_hash,
        "prompt_file": layout.shown(layout.prompt_file(prompt_hash)),
        "prompt_words": dg.MetadataValue.md(f"```\n{kept_prompt(prompt_hash, layout)}\n```"),
    }


def readable(conversation: Conversation, turns: int = 12) -> str:
    """The first turns of a conversation as Markdown."""
    lines = [f"**{turn.speaker}:** {turn.text}" for turn in conversation.turns[:turns]]
    more = len(conversation.turns) - turns
    return "\n\n".join(lines + ([f"... and {more} more turns"] if more > 0 else []))


def _public_name(endpoint: Endpoint) -> str:
    return f"{endpoint.model} at {endpoint.url}" + (f" on {endpoint.node}" if endpoint.node else "")


def _public(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "model": endpoint.model,
        "tier": endpoint.tier,
        "node": endpoint.node,
        "scripted": endpoint.scripted,
    }


def _nothing_kept(summary: WritingSummary) -> str:
    why = ", ".join(f"{kind}: {count}" for kind, count in {**summary.failures, **summary.rejected}.items())
    return f"not one of {summary.asked} calls could be kept ({why or 'no answer'}). See `tip doctor`."
