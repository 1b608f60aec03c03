"""Puts the writing of calls together: endpoints, engine, gatekeeper and loop. Used by the asset and the CLI."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from tip_assets.generation.acceptance import Gatekeeper
from tip_assets.generation.batch_records import BatchRecords
from tip_assets.generation.batch_requests import one_by_one
from tip_assets.generation.batch_writing import BatchEngine
from tip_assets.generation.batching import plan_batches
from tip_assets.generation.collect import kept_conversations
from tip_assets.generation.engine import SharedRecords, engine_for
from tip_assets.generation.estimate import estimate
from tip_assets.generation.prompts import CallPrompt
from tip_assets.generation.serving import ReadSettings, endpoints_for
from tip_assets.generation.spending import Spending
from tip_assets.generation.stopping import StopsWriting
from tip_assets.generation.write_calls import CallWriter, WritingProgress, WritingSummary
from tip_assets.quality.duplicates.comparison import word_thresholds
from tip_assets.quality.duplicates.earlier_calls import EarlierCalls
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec, GenerationMode
from tip_resources.llm.answering import Metered
from tip_resources.llm.types import Endpoint, EngineNotice
from tip_resources.storage.checkpoint import Checkpoint

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers

# The modes of a specification that `write_plans` can write.
SUPPORTED_MODES: frozenset[GenerationMode] = frozenset({"batched", "two_agent"})


class Written(msgspec.Struct, frozen=True):
    """What a slice of a plan came to, and how to read its kept calls back, in plan order."""

    summary: WritingSummary
    endpoints: tuple[Endpoint, ...]
    conversations: Callable[[], Iterator[Conversation]]


def write_plans(
    spec: DatasetSpec,
    plans: Callable[[], Iterable[CallPlan]],
    *,
    prompt: CallPrompt,
    settings: ReadSettings,
    patience_seconds: float,
    checkpoint: Checkpoint,
    delivered: EarlierCalls | None,
    on_endpoints: Callable[[tuple[Endpoint, ...]], None],
    on_progress: Callable[[WritingProgress], None],
    on_notice: Callable[[EngineNotice], None],
    spending: Spending | None = None,
    shared: SharedRecords | None = None,
    fleet: "FleetServers | None" = None,
    fresh: bool = False,
    live: ReadSettings | None = None,
    redaction_key: bytes | None = None,
    stop: StopsWriting | None = None,
) -> Written:
    """Has language models write the calls of `plans` and keeps what is good.

    Args:
        spec: The data set.
        plans: Gives its call plans (or a slice of them) anew each time it is called.
        prompt: How the calls are asked for.
        settings: Reads endpoints, batches and thresholds.
        patience_seconds: How long to wait for a model server to answer at all.
        checkpoint: Where finished calls are kept.
        delivered: What other sets delivered; None where no other set counts: plain files and previews.
        on_endpoints: Told which servers write.
        on_progress: Told after every call, and every 10 s while all endpoints rest.
        on_notice: Told why the writing waits, retries or goes elsewhere.
        spending: Counts what the writing costs, and ends it before the budget is passed.
        shared: Where the limits of endpoints are shared with other runs and kept; None learns for this run alone.
        fleet: Its machines' servers are used too, and their heat and people hold calls back; None knows of neither.
        fresh: Forget what earlier runs kept, rejects included, and write every call anew.
        live: The settings as they are now, asked after every call and once a second: what is wanted of a call, how many
            are in flight and how long is waited for them may change while a set is written. None keeps to those of
            the beginning.
        redaction_key: Of a data set that is exported: its calls must be clean in every style of its exports. None
            checks type tags alone: for plain files and previews, whose style is chosen later.
        stop: Ends the writing for other reasons than its budget, and asks `spending` itself; None leaves it to that.

    Raises:
        NoEndpoint: No model answers.
        BadInput: The budget limits a cost that cannot be known.
        PermanentFailure: No call could be had for a reason that asking again cannot mend.
    """
    now = settings()
    gatekeeper = Gatekeeper(
        minimum_turns=now.generation.minimum_turns,
        minimum_score=now.quality.minimum_score,
        delivered=delivered,
        thresholds=word_thresholds(now.quality),
        styles=() if redaction_key is None else now.exports.styles_used,
        key=redaction_key,
    )

    def progressed(moment: WritingProgress) -> None:
        if live is not None:
            wanted = live()
            gatekeeper.require(
                minimum_turns=wanted.generation.minimum_turns, minimum_score=wanted.quality.minimum_score
            )
        on_progress(moment)

    def waits(reason: str) -> None:
        on_notice(EngineNotice(kind="waiting", reason=reason))

    async def write(endpoints: tuple[Endpoint, ...]) -> tuple[WritingSummary, CallWriter]:
        batches = plan_batches(spec, now.generation, endpoints)
        if spec.batch_api:
            batches = one_by_one(batches)
            records = BatchRecords(checkpoint.folder / "batches")
            sending = BatchEngine(endpoints[0], now.engine, records, on_notice=on_notice)
        else:
            sending = engine_for(endpoints, now, shared=shared, fleet=fleet, on_notice=on_notice, live=live)
        async with sending as sender:
            # A batch takes all requests before it answers any, so none of them can wait for room; the turns of a
            # call that was begun do not wait either: room was kept for them.
            waits = spending is not None and spec.mode == "batched" and not spec.batch_api
            engine = Metered(sender, spending.has_room if spending and waits else lambda: True)
            if spending is not None:
                expected = estimate(spec, now.generation, endpoints, spending.prices, batches).per_request
                spending.begin(endpoints, in_flight=engine.in_flight, expected=expected)
            writer = CallWriter(
                spec,
                plans,
                prompt=prompt,
                engine=engine,
                endpoints=endpoints,
                checkpoint=checkpoint,
                gatekeeper=gatekeeper,
                batches=batches,
                settings=now.generation,
                on_progress=progressed,
                stop=stop or spending,
            )
            return await writer.write(), writer

    with endpoints_for(spec, settings, patience_seconds=patience_seconds, on_wait=waits, fleet=fleet) as endpoints:
        on_endpoints(endpoints)
        if fresh:
            checkpoint.clear()
        summary, writer = asyncio.run(write(endpoints))

    def conversations() -> Iterator[Conversation]:
        return kept_conversations(checkpoint, ((plan.index, writer.identity(plan)) for plan in plans()))

    return Written(summary, endpoints, conversations)
