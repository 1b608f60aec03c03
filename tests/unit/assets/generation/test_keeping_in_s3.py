"""Calls that are kept in S3: while one is put there, the streams of all others go on."""

import asyncio
import threading

import pytest

from tests.s3_server import S3Server, s3, s3_server
from tests.unit.assets.generation.test_write_calls import ENDPOINT, ScriptedEngine, all_good, kept, plan
from tip_assets.generation.acceptance import Gatekeeper
from tip_assets.generation.batching import BatchPlan
from tip_assets.generation.prompts import CallPrompt
from tip_assets.generation.write_calls import CallWriter, WritingSummary
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.settings.models import GenerationSettings, IntRange
from tip_resources.storage.checkpoint import Checkpoint
from tip_resources.storage.places import storage_root

__all__ = ["s3", "s3_server"]

COUNT = 6
TICKS = 3


@pytest.mark.slow
def test_the_loop_goes_on_while_a_call_is_put_into_s3(s3: S3Server, tmp_path) -> None:
    checkpoint = Checkpoint(storage_root(s3.url, tmp_path) / "parts" / "d")
    ticked, stood_still = threading.Semaphore(0), list[str]()

    def answers_when_the_loop_has_ticked(method: str, path: str) -> bool:
        if method == "PUT":
            while ticked.acquire(blocking=False):
                pass  # those of before
            stood_still.extend(path for _ in range(TICKS) if not ticked.acquire(timeout=2.0))
        return False

    s3.is_away = answers_when_the_loop_has_ticked
    writer = CallWriter(
        DatasetSpec(name="d", count=COUNT, domain="healthcare"),
        lambda: (plan(index) for index in range(COUNT)),
        prompt=CallPrompt({}),
        engine=ScriptedEngine(all_good),  # pyright: ignore[reportArgumentType]
        endpoints=(ENDPOINT,),
        checkpoint=checkpoint,
        gatekeeper=Gatekeeper(minimum_turns=8, minimum_score=0.0),
        batches=BatchPlan(2, IntRange(low=5, high=5), 1_000, "test"),
        settings=GenerationSettings(),
        on_progress=lambda _: None,
    )

    async def tick() -> None:
        while True:
            ticked.release()
            await asyncio.sleep(0.005)

    async def scenario() -> WritingSummary:
        ticking = asyncio.create_task(tick())
        try:
            return await writer.write()
        finally:
            ticking.cancel()

    summary = asyncio.run(scenario())
    assert summary.kept == COUNT and kept(checkpoint) == list(range(COUNT))
    assert not stood_still
