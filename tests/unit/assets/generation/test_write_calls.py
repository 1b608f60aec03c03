"""The accept-and-top-up loop: as many calls as asked, nothing asked twice, nothing silently dropped."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from upath import UPath

from tip_assets.generation import write_calls
from tip_assets.generation.acceptance import Gatekeeper
from tip_assets.generation.batching import BatchPlan
from tip_assets.generation.collect import kept_conversations
from tip_assets.generation.prompts import PLANS_MARKER, CallPrompt
from tip_assets.generation.stopping import StopsWriting
from tip_assets.generation.write_calls import CallWriter, WritingProgress, WritingSummary
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import PermanentFailure
from tip_resources.domain.persona import Persona, PersonalFact
from tip_resources.domain.scenario import Scenario
from tip_resources.llm.endpoint_status import EndpointStatus, why_all_rest
from tip_resources.llm.types import ChatRequest, Endpoint, EngineEvent, Item, RequestDone
from tip_resources.settings.models import GenerationSettings, IntRange
from tip_resources.storage.checkpoint import Checkpoint

ENDPOINT = Endpoint(name="double", url="http://localhost:1/v1", model="m", scripted=True)
WORDS = [
    "amber",
    "brook",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "inlet",
    "jetty",
    "knoll",
    "larch",
    "maple",
    "north",
    "ocean",
    "prism",
]

# What a model answers for the plans of one request: a list of items, or the failure of the whole call.
Answer = Callable[[ChatRequest, list[dict[str, Any]]], list[Any] | str]


class ScriptedEngine:
    """Stands for the request engine: answers every request by a function, without a network."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[int] = []

    def status(self) -> tuple[EndpointStatus, ...]:
        return (
            EndpointStatus(
                name="double",
                url=ENDPOINT.url,
                model="m",
                standing="ready",
                reason="",
                in_flight=0,
                limit=1,
                calls=0,
                items=0,
                failures_by_kind={},
            ),
        )

    async def run(self, requests: AsyncIterator[ChatRequest]) -> AsyncIterator[EngineEvent]:
        async for request in requests:
            plans = msgspec.json.decode(request.messages[-1].content.partition(PLANS_MARKER)[2])["calls"]
            self.asked.append(len(plans))
            answered = self.answer(request, plans)
            failure, items = (answered, []) if isinstance(answered, str) else (None, answered)
            for position, value in enumerate(items):
                yield Item(
                    request_id=request.request_id,
                    position=position,
                    value=value,
                    raw_text=str(value),
                    endpoint=ENDPOINT,
                    attempt=1,
                    call_id=f"call-{request.request_id}",
                    request_hash="h",
                    started_at="2026-01-01T00:00:00Z",
                    time_to_first_token_ms=1.0,
                    elapsed_ms=2.0,
                )
            yield RequestDone(
                request_id=request.request_id,
                endpoint=ENDPOINT,
                items=len(items),
                attempts=1,
                failure=failure,  # pyright: ignore[reportArgumentType]
                detail=failure or "",
                raw_text="gibberish" if failure else "",
                call_id=f"call-{request.request_id}",
                tokens_in=100,
                tokens_out=900,
                failures_by_kind={failure: 1} if failure else {},
            )


def plan(index: int) -> CallPlan:
    def person(role: Any) -> Persona:
        fact = PersonalFact(type="NAME", value=f"Zyx{index}{role}", spoken=())
        return Persona(id=f"{role}{index}", index=index, role=role, name=fact.value, facts=(fact,))

    scenario = Scenario(
        id=f"s{index}",
        index=index,
        domain="healthcare",
        template="refill",
        title="Refill",
        intent_path=("greet",),
        facts={},
        complications=(),
        resolution="done",
        difficulty=1,
    )
    return CallPlan(index=index, scenario=scenario, customer=person("customer"), agent=person("agent"))


def good(planned: dict[str, Any], salt: int = 0) -> dict[str, Any]:
    def text(turn: int) -> str:
        # Words of two parts: enough of them that no two calls have many in common.
        chance = random.Random(planned["variation"] + 7919 * turn + salt)
        chosen = [chance.choice(WORDS) + chance.choice(WORDS) for _ in range(7)]
        return f"I would like the {' '.join(chosen)} please."

    turns = [{"speaker": ("agent", "customer")[turn % 2], "text": text(turn)} for turn in range(10)]
    return {"call": planned["call"], "turns": turns}


def all_good(_request: ChatRequest, plans: list[dict[str, Any]]) -> list[Any]:
    return [good(planned) for planned in plans]


def write(
    tmp_path: Path,
    answer: Answer,
    *,
    count: int = 10,
    batch: int = 4,
    rounds: int = 5,
    tone: str = "neutral",
    stop: StopsWriting | None = None,
    engine: ScriptedEngine | None = None,
) -> tuple[WritingSummary, Checkpoint, ScriptedEngine, list[WritingProgress]]:
    checkpoint, engine, seen = Checkpoint(UPath(tmp_path)), engine or ScriptedEngine(answer), []
    writer = CallWriter(
        DatasetSpec(name="d", count=count, domain="healthcare", emotional_tone=tone),
        lambda: (plan(index) for index in range(count)),
        prompt=CallPrompt({}),
        engine=engine,  # pyright: ignore[reportArgumentType]
        endpoints=(ENDPOINT,),
        checkpoint=checkpoint,
        gatekeeper=Gatekeeper(minimum_turns=8, minimum_score=0.0),
        batches=BatchPlan(batch, IntRange(low=5, high=5), 1_000, "test"),
        settings=GenerationSettings(top_up_rounds=rounds),
        on_progress=seen.append,
        stop=stop,
    )
    return asyncio.run(writer.write()), checkpoint, engine, seen


def kept(checkpoint: Checkpoint) -> list[int]:
    return sorted(checkpoint.finished())


def test_asked_ten_delivered_ten(tmp_path: Path) -> None:
    summary, checkpoint, engine, seen = write(tmp_path, all_good)
    assert summary.kept == summary.asked == 10
    assert kept(checkpoint) == list(range(10))
    assert engine.asked == [4, 4, 2]
    assert seen[-1].kept == 10


class HeldEngine(ScriptedEngine):
    """Its machine takes no calls until its status was asked for some times; then it answers."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.looks = 0

    def status(self) -> tuple[EndpointStatus, ...]:
        (one,) = super().status()
        self.looks += 1
        if self.looks > 5:
            return (one,)
        return (msgspec.structs.replace(one, standing="paused", held_by="desk is in_use: a game (for 2 min)"),)

    async def run(self, requests: AsyncIterator[ChatRequest]) -> AsyncIterator[EngineEvent]:
        while self.looks <= 5:
            await asyncio.sleep(0.01)
        async for event in super().run(requests):
            yield event


def test_while_the_only_machine_is_held_who_holds_it_is_told_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_calls, "_WAITS_TOLD_EVERY_SECONDS", 0.01)
    summary, _, _, seen = write(tmp_path, all_good, engine=HeldEngine(all_good))
    assert summary.kept == 10
    waiting = [moment for moment in seen if why_all_rest(moment.endpoints)]
    assert len(waiting) > 1
    assert {(one.kept, one.asked) for one in waiting} == {(0, 10)}
    assert {why_all_rest(one.endpoints) for one in waiting} == {("desk is in_use: a game (for 2 min)",)}


def test_a_refused_call_is_kept_among_the_rejects_and_asked_for_again_differently(tmp_path: Path) -> None:
    variations: dict[int, list[int]] = {}

    def first_too_short(_request: ChatRequest, plans: list[dict[str, Any]]) -> list[Any]:
        answered = []
        for planned in plans:
            tries = variations.setdefault(planned["customer"]["name"], [])
            tries.append(planned["variation"])
            call = good(planned)
            answered.append(call if len(tries) > 1 else {**call, "turns": call["turns"][:2]})
        return answered

    summary, checkpoint, _, _ = write(tmp_path, first_too_short)
    assert summary.kept == 10
    assert summary.rejected == {"too_short": 10}
    assert all(item.raw_text for item in checkpoint.rejects())
    assert all(len(set(tries)) == len(tries) == 2 for tries in variations.values())


def test_a_call_the_model_left_out_is_asked_for_again_and_only_that_one(tmp_path: Path) -> None:
    def forgets_the_last(_request: ChatRequest, plans: list[dict[str, Any]]) -> list[Any]:
        return [good(planned) for planned in (plans[:-1] if len(plans) > 1 else plans)]

    summary, checkpoint, engine, _ = write(tmp_path, forgets_the_last, count=4)
    assert summary.kept == 4
    assert engine.asked == [4, 1]
    assert kept(checkpoint) == [0, 1, 2, 3]


def test_two_calls_that_are_the_same_are_not_both_kept(tmp_path: Path) -> None:
    def always_the_same(_request: ChatRequest, plans: list[dict[str, Any]]) -> list[Any]:
        return [{**good({"variation": 1, "call": 0}), "call": planned["call"]} for planned in plans]

    summary, checkpoint, _, _ = write(tmp_path, always_the_same, count=3, rounds=2)
    assert summary.kept == 1
    assert len(kept(checkpoint)) == 1
    assert summary.rejected["duplicate"] == 6
    assert summary.rounds == 3


def test_after_a_kill_no_finished_call_is_asked_for_again(tmp_path: Path) -> None:
    class KilledError(BaseException):
        pass

    def dies_in_the_second_request(request: ChatRequest, plans: list[dict[str, Any]]) -> list[Any]:
        if plans[0]["customer"]["name"] == "Zyx4customer":
            raise KilledError
        return all_good(request, plans)

    with pytest.raises(KilledError):
        write(tmp_path, dies_in_the_second_request)
    summary, checkpoint, engine, _ = write(tmp_path, all_good)
    assert summary.reused == 4
    assert sum(engine.asked) == 6
    assert kept(checkpoint) == list(range(10))


def test_smaller_batches_are_asked_for_when_answers_do_not_fit(tmp_path: Path) -> None:
    def fits_two(_request: ChatRequest, plans: list[dict[str, Any]]) -> list[Any] | str:
        return "context_overflow" if len(plans) > 2 else [good(planned) for planned in plans]

    summary, _, engine, _ = write(tmp_path, fits_two, count=8, batch=8)
    assert summary.kept == 8
    assert engine.asked == [8, 4, 2, 2, 2, 2]


def test_a_failure_only_a_person_can_mend_ends_at_once(tmp_path: Path) -> None:
    with pytest.raises(PermanentFailure, match="auth"):
        write(tmp_path, lambda _request, _plans: "auth")


def test_unusable_answers_end_after_bounded_rounds_with_nothing_kept_and_all_of_them_on_record(tmp_path: Path) -> None:
    summary, checkpoint, engine, _ = write(tmp_path, lambda _request, _plans: "invalid_output", count=4, rounds=2)
    assert summary.kept == 0
    assert len(engine.asked) == 3
    assert [reject.raw_text for reject in checkpoint.rejects()] == ["gibberish"] * 3


@pytest.mark.parametrize(
    "value",
    [None, [], "prose", {"call": 1}, {"turns": "none"}, {"turns": [{"speaker": "robot", "text": "x"}]}, {"turns": [3]}],
)
def test_an_item_of_the_wrong_shape_is_a_reject_not_a_crash(tmp_path: Path, value: Any) -> None:
    summary, checkpoint, _, _ = write(tmp_path, lambda _request, _plans: [value], count=1, rounds=0)
    assert summary.kept == 0
    assert [reject.reason for reject in checkpoint.rejects()] == ["wrong_schema"]


def test_more_calls_than_asked_for_are_put_aside(tmp_path: Path) -> None:
    def one_too_many(_request: ChatRequest, plans: list[dict[str, Any]]) -> list[Any]:
        return [*(good(planned) for planned in plans), {**good(plans[0], salt=1), "call": 99}]

    summary, _, _, _ = write(tmp_path, one_too_many, count=4)
    assert summary.kept == 4
    assert summary.rejected == {"unasked": 1}


def test_a_kept_call_says_where_it_came_from_and_what_it_cost(tmp_path: Path) -> None:
    _, checkpoint, _, _ = write(tmp_path, all_good, count=4)
    identities = [(index, identity) for index, found in checkpoint.finished().items() for identity in found]
    first = next(kept_conversations(checkpoint, identities)).provenance
    assert first is not None
    assert (first.model, first.scripted, first.position, first.attempt) == ("m", True, 0, 1)
    assert (first.tokens_in, first.tokens_out) == (25, 225)
    assert first.prompt_hash and first.call_id


class TwoRequests:
    """A budget of two requests."""

    ended = 0

    def request_done(self, done: RequestDone) -> None:
        self.ended += 1

    def reserve(self, requests: int) -> None:
        pass

    def stop_reason(self, more: int = 1) -> str | None:
        return "two requests were allowed" if self.ended >= 2 else None


def test_a_stop_sends_nothing_more_and_leaves_what_is_done(tmp_path: Path) -> None:
    summary, checkpoint, engine, _ = write(tmp_path, all_good, stop=TwoRequests())
    assert engine.asked == [4, 4]
    assert (summary.kept, summary.stopped) == (8, "two requests were allowed")
    assert kept(checkpoint) == list(range(8))
    again, _, _, _ = write(tmp_path, all_good)
    assert (again.reused, again.kept, again.stopped) == (8, 10, "")


def test_the_size_and_its_reason_are_told(tmp_path: Path) -> None:
    def fits_two(_request: ChatRequest, plans: list[dict[str, Any]]) -> list[Any] | str:
        return "truncated" if len(plans) > 2 else [good(planned) for planned in plans]

    summary, _, _, _ = write(tmp_path, fits_two, count=8, batch=8)
    assert summary.batch_size == 2
    assert summary.batch_reason == "an answer of 4 calls was cut off"
