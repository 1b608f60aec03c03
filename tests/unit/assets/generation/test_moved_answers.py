"""Writing while machines are taken away: what was left of an answer is asked for again, and costs no round."""

import asyncio
from pathlib import Path

from upath import UPath

from tests.unit.assets.generation.test_write_calls import plan
from tests.unit.resources.llm.helpers import settings
from tests.unit.resources.llm.machines_and_callers import IN_USE, Machines, rehearsal, status_of, until
from tests.unit.resources.rehearsal.serving import PacedServer, paced
from tip_assets.generation.acceptance import Gatekeeper
from tip_assets.generation.batching import BatchPlan
from tip_assets.generation.prompts import CallPrompt
from tip_assets.generation.write_calls import CallWriter, WritingProgress, WritingSummary
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.engine import RequestEngine
from tip_resources.settings.models import GenerationSettings, IntRange
from tip_resources.storage.checkpoint import Checkpoint

CALLS = 30


def test_what_a_moved_answer_still_owed_is_asked_for_in_the_same_round_and_in_the_same_words(tmp_path: Path) -> None:
    checkpoint, seen = Checkpoint(UPath(tmp_path)), list[WritingProgress]()

    async def scenario(rtx: PacedServer) -> WritingSummary:
        machines, endpoint = Machines(), rehearsal("rtx", rtx.url, 3)
        async with RequestEngine([endpoint], settings(), standing_of=machines) as engine:
            writer = CallWriter(
                DatasetSpec(name="d", count=CALLS, domain="healthcare"),
                lambda: (plan(index) for index in range(CALLS)),
                prompt=CallPrompt({}),
                engine=engine,
                endpoints=(endpoint,),
                checkpoint=checkpoint,
                gatekeeper=Gatekeeper(minimum_turns=4, minimum_score=0.0),
                batches=BatchPlan(4, IntRange(low=5, high=5), 8_000, "test"),
                settings=GenerationSettings(top_up_rounds=0),
                on_progress=seen.append,
            )
            writing = asyncio.ensure_future(writer.write())
            for turn in range(3):
                await until(lambda least=turn: bool(seen) and seen[-1].kept > 2 * least)
                await until(lambda: status_of(engine, "rtx").in_flight == 3)
                machines.standings["rtx"] = IN_USE
                await until(lambda: status_of(engine, "rtx").in_flight == 0)
                machines.standings.clear()
            rtx.hurry()
            return await writing

    with paced(600.0) as rtx:
        summary = asyncio.run(scenario(rtx))
    assert (summary.kept, summary.rounds, summary.rejected, summary.failures) == (CALLS, 1, {}, {})
    assert [usage for usage in checkpoint.usages().values() if usage.failure == "moved"]
    kept = [*checkpoint.load((index, name) for index, names in checkpoint.finished().items() for name in names)]
    assert {conversation.provenance.attempt for conversation in kept if conversation.provenance} == {1}
    assert summary.batch_size == 4
