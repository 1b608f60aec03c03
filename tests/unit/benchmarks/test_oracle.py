"""The denominators of the benchmark, worked out by hand where a hand can."""

import pytest

from benchmarks.engine.answers import answer_to, answer_tokens
from benchmarks.engine.cases import CASES
from benchmarks.engine.oracle import Capacity, bound, told
from benchmarks.engine.speed import Change, Speed
from tip_assets.generation.bench_requests import answer_in


def test_the_device_is_four_times_as_fast_with_six_streams_and_slower_beyond() -> None:
    speed = Speed()
    assert speed.total(1) == pytest.approx(100)
    assert speed.total(6) == speed.best == pytest.approx(400)
    assert speed.total(8) == pytest.approx(400 * 0.97**2)
    assert speed.total(0) == 0


def test_an_outage_and_a_smaller_knee_take_from_the_capacity_only_while_they_last() -> None:
    steady = Capacity(Speed())
    away = Capacity(Speed(), (Change(at=10, away="refuse"), Change(at=30)))
    slower = Capacity(Speed(), (Change(at=10, knee=1), Change(at=30, knee=6)))
    assert bound(4000, [steady]) == pytest.approx(10)
    assert bound(8000, [steady, steady]) == pytest.approx(10)
    assert bound(8000, [away]) == pytest.approx(40)
    assert bound(8000, [slower]) == pytest.approx(30 + (8000 - 4000 - 2000) / 400)
    with pytest.raises(ValueError, match="for ever"):
        bound(8000, [Capacity(Speed(), (Change(at=10, away="hang"),))])


def test_a_told_client_is_never_faster_than_the_bound_and_its_tail_is_short() -> None:
    answers = [answer_tokens(f"RID{index:06d}", 600) for index in range(200)]
    floor = bound(sum(answers), [Capacity(Speed())])
    assert floor < told(answers, Speed()) < 1.05 * floor
    assert told([600], Speed()) == pytest.approx(6.0)
    assert told([600] * 6, Speed()) == pytest.approx(9.0)


def test_answers_satisfy_the_schema_and_have_the_tokens_they_claim() -> None:
    import json

    for index in range(0, 200, 7):
        rid = f"RID{index:06d}"
        answer = answer_to(rid, 600, 1)
        events = [json.loads(part[6:]) for part in answer.body.decode().split("\n\n") if part]
        text = "".join(event["choices"][0]["delta"]["content"] for event in events)
        assert answer_in(json.loads(text)) is not None
        assert len(events) == len(answer.ends) == answer.tokens == answer_tokens(rid, 600)
        assert 480 <= answer.tokens <= 720


def test_every_case_has_enough_requests_and_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.requests >= 200 and case.bound_seconds() > 0 for case in CASES)
