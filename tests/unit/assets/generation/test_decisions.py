from typing import Any

from tip_assets.generation.decisions import DecisionLog
from tip_assets.generation.write_calls import WritingProgress
from tip_resources.llm.endpoint_status import EndpointStatus


def moment(**changes: Any) -> WritingProgress:
    values: dict[str, Any] = {
        "name": "lm", "url": "http://lm/v1", "model": "m", "standing": "ready", "reason": "", "in_flight": 2,
        "limit": 2, "calls": 0, "items": 0, "failures_by_kind": {}, "limit_reason": "starting",
    }  # fmt: skip
    endpoint = EndpointStatus(**(values | changes))
    return WritingProgress(kept=0, asked=10, rejected=0, round=0, tokens_out=0, endpoints=(endpoint,))


def test_each_change_of_an_endpoint_is_said_once_with_its_reason() -> None:
    lines: list[str] = []
    decisions = DecisionLog(lines.append, lambda: True)
    decisions(moment())
    decisions(moment(in_flight=1))  # how many are under way is no decision
    decisions(moment(limit=4, limit_reason="4 gave more than 2"))
    decisions(moment(limit=0, limit_reason="", standing="paused", reason="503"))
    assert lines == [
        "lm: ready, at most 2 calls (starting); 2 in flight",
        "lm: ready, at most 4 calls (4 gave more than 2); 2 in flight",
        "lm: paused (503), at most 0 calls; 2 in flight",
    ]


def test_it_is_switched_on_and_off_while_a_set_is_written() -> None:
    lines: list[str] = []
    is_on = False
    decisions = DecisionLog(lines.append, lambda: is_on)
    decisions(moment())
    assert not lines
    is_on = True
    decisions(moment())
    assert len(lines) == 1
