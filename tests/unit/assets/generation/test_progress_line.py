"""The progress line: the pace of the last half minute, what was spent, and who writes with how many calls and why."""

import msgspec

from tip_assets.generation.progress_line import ProgressLine
from tip_assets.generation.spending import SpendingReport
from tip_assets.generation.write_calls import WritingProgress
from tip_assets.rough_figures import count_of, duration
from tip_resources.llm.endpoint_state import EndpointStatus, Standing


def endpoint(
    name: str,
    in_flight: int,
    limit: int,
    why: str = "",
    standing: Standing = "full",
    reason: str = "",
    held_by: str = "",
) -> EndpointStatus:
    return EndpointStatus(
        name=name,
        url=f"http://{name}/v1",
        model="m",
        standing=standing,
        reason=reason,
        in_flight=in_flight,
        limit=limit,
        limit_reason=why,
        held_by=held_by,
        calls=0,
        items=0,
        failures_by_kind={},
    )


def progress(kept: int, tokens_out: int = 0, endpoints: tuple[EndpointStatus, ...] = ()) -> WritingProgress:
    return WritingProgress(kept=kept, asked=500, rejected=9, round=0, tokens_out=tokens_out, endpoints=endpoints)


def spent(cost: float | None) -> SpendingReport:
    return SpendingReport(
        tokens_in=14_000, tokens_out=200_000, cost=cost, minutes=1, uncounted=0, by_endpoint={}
    )  # fmt: skip


def test_the_whole_line() -> None:
    now = [0.0]
    line = ProgressLine(lambda: now[0], lambda: spent(0.12))
    line.heard(progress(312, 10_000))
    now[0] = 25.0
    who = (
        endpoint("rtx", 6, 6, "throughput falls beyond"),
        endpoint("pi-4b", 1, 2, "ceiling", "ready"),
        endpoint("mac", 0, 4, standing="paused", reason="in use"),
    )
    assert line.text(progress(412, 30_000, who)) == (
        "412/500 calls kept, 9 rejected, 4.0 calls/s, 800 tok/s, about 22 s to go | 214k tokens, 0.12 USD | "
        "rtx 6 (throughput falls beyond), pi-4b 1 of 2 (ceiling), mac 0: in use"
    )


def test_the_pace_is_that_of_the_last_half_minute_not_of_the_whole_run() -> None:
    now, kept = [0.0], 0
    line = ProgressLine(lambda: now[0])
    for second in range(200):
        now[0] = float(second)
        kept += 4 if second < 100 else 1  # the fast endpoint was lost half way
        line.heard(progress(kept))
    assert "1.0 calls/s" in line.text(progress(kept))
    for second in range(200, 240):
        now[0] = float(second)
        line.heard(progress(kept))
    assert "calls/s" not in line.text(progress(kept))  # nothing came for half a minute: no pace, no time to go


def test_a_thousand_events_a_second_are_not_all_remembered() -> None:
    now = [0.0]
    line = ProgressLine(lambda: now[0])
    for event in range(100_000):
        now[0] = event / 1_000
        line.heard(progress(event // 1_000))
    assert len(line._moments) < 70


def test_an_unknown_cost_is_said_and_many_endpoints_are_cut_short() -> None:
    line = ProgressLine(lambda: 0.0, lambda: spent(None))
    text = line.text(progress(1, 0, tuple(endpoint(f"pi{n}", 2, 2) for n in range(20))))
    assert "cost unknown" in text
    assert text.endswith("pi7 2, and 12 more")
    assert line.short(progress(1)) == "9 rejected | 214k tokens, cost unknown"


def test_figures_are_short() -> None:
    assert [count_of(n) for n in (900, 214_400, 1_234_567)] == ["900", "214k", "1.2M"]
    assert [duration(n) for n in (21, 720, 12_600)] == ["21 s", "12 min", "3.5 h"]


def test_the_speed_is_that_of_the_streams_before_the_first_answer_has_ended() -> None:
    now = [0.0]
    line = ProgressLine(lambda: now[0])
    line.heard(progress(0))
    now[0] = 10.0
    streaming = msgspec.structs.replace(endpoint("rtx", 6, 6), tokens_per_second=812.4)
    assert "18.0 calls/min, 812 tok/s" in line.text(progress(3, 0, (streaming,)))


IN_USE = "rtx-laptop is in_use: a full-screen game (for 12 min)"


def held(name: str, in_flight: int = 0) -> EndpointStatus:
    reason = f"its machine takes no calls now: {IN_USE}"
    return endpoint(name, in_flight, 0, standing="paused", reason=reason, held_by=IN_USE)


def test_who_holds_a_machine_and_since_when_is_not_cut_off() -> None:
    line = ProgressLine(lambda: 0.0).text(progress(1, endpoints=(held("rtx"), endpoint("mac", 2, 2))))
    assert line.endswith(f"rtx 0: its machine takes no calls now: {IN_USE}, mac 2")


def test_while_all_machines_are_held_the_line_says_so_first_without_a_pace_or_an_end() -> None:
    now = [0.0]
    line = ProgressLine(lambda: now[0], lambda: spent(0.12))
    line.heard(progress(312, 10_000))
    now[0] = 5.0
    both = (held("rtx-laptop:1234"), held("rtx-laptop:11434"))
    assert line.text(progress(412, 30_000, both)) == f"412/500 calls kept, waits: {IN_USE} | 214k tokens, 0.12 USD"
    assert line.short(progress(412, 30_000, both)) == f"waits: {IN_USE} | 214k tokens, 0.12 USD"
    broken = endpoint("pi", 0, 2, standing="broken", reason="failed 5 times in a row: refused")
    text = line.text(progress(412, 30_000, (*both, broken)))
    assert f"waits: {IN_USE}; pi: failed 5 times in a row: refused |" in text


def test_a_call_that_is_under_way_is_not_called_waiting() -> None:
    line = ProgressLine(lambda: 0.0)
    for one in (held("rtx", in_flight=1), endpoint("mac", 0, 2, standing="ready")):
        text = line.text(progress(412, endpoints=(held("rtx"), one)))
        assert text.startswith("412/500 calls kept, 9 rejected")
