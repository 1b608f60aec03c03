"""Progress costs little, and says how far, how fast and how long."""

from dataclasses import dataclass, field

import msgspec
from sqlalchemy.exc import OperationalError

from tests.unit.assets.generation.test_progress_line import IN_USE, held
from tip_assets.generation.progress import ProgressLog
from tip_assets.generation.write_calls import WritingProgress
from tip_resources.llm.types import EngineNotice, NoticeKind


@dataclass
class Notes:
    """Stands for the request store: remembers the notes it was given."""

    written: list[str] = field(default_factory=list)

    def set_note(self, dataset: str, note: str) -> None:
        self.written.append(f"{dataset}: {note}")


def progress(kept: int) -> WritingProgress:
    return WritingProgress(kept=kept, asked=100, rejected=1, round=0, tokens_out=kept * 1_000)


def test_a_thousand_events_in_a_second_are_one_note_and_no_log_line() -> None:
    now, lines, notes = [0.0], [], Notes()
    log = ProgressLog(lines.append, notes, "d", clock=lambda: now[0])  # pyright: ignore[reportArgumentType]
    for event in range(1_000):
        now[0] = event / 1_000 * 1.5
        log(progress(event // 20))
    assert len(notes.written) == 1
    assert lines == []


def test_the_line_says_how_far_how_fast_and_how_long() -> None:
    now, notes = [0.0], Notes()
    log = ProgressLog(lambda _line: None, notes, "d", clock=lambda: now[0])  # pyright: ignore[reportArgumentType]
    log(progress(20))  # twenty were there already from a run that was cut off
    now[0] = 10.0
    log(progress(60))
    assert notes.written[-1] == "d: 60/100 calls kept, 1 rejected, 4.0 calls/s, 4000 tok/s, about 10 s to go"


def notice(kind: NoticeKind, reason: str, endpoint: str = "") -> EngineNotice:
    return EngineNotice(kind=kind, reason=reason, endpoint=endpoint)


def test_a_reason_to_wait_is_logged_once_and_noted_each_time() -> None:
    lines, notes = [], Notes()
    log = ProgressLog(lines.append, notes, "d")  # pyright: ignore[reportArgumentType]
    for _ in range(3):
        log.notice(notice("waiting", "no model server answers\nTried: ..."))
    assert len(lines) == 1
    assert notes.written == ["d: waiting: no model server answers"] * 3


def test_only_what_stops_or_starts_calls_is_noted_and_going_on_is_not_called_waiting() -> None:
    now, lines, notes = [0.0], [], Notes()
    log = ProgressLog(lines.append, notes, "d", clock=lambda: now[0])  # pyright: ignore[reportArgumentType]
    log(progress(7))
    log.notice(notice("endpoint_paused", "rtx gets no new calls.", "rtx"))
    log.notice(notice("database", "Limits are not shared now."))
    assert notes.written == []
    log.notice(notice("waiting", "Calls wait until a machine is free."))
    log.notice(notice("resumed", "Calls go on after 60 s."))
    assert notes.written == [
        "d: 7/100 calls kept, waits: Calls wait until a machine is free.",
        "d: 7/100 calls kept, 1 rejected. Calls go on after 60 s.",
    ]
    assert lines == [
        "rtx gets no new calls.",
        "Limits are not shared now.",
        "Calls wait until a machine is free.",
        "Calls go on after 60 s.",
    ]


def test_while_all_machines_are_held_the_note_follows_and_the_log_is_left_alone() -> None:
    now, lines, notes = [0.0], [], Notes()
    log = ProgressLog(lines.append, notes, "d", clock=lambda: now[0])  # pyright: ignore[reportArgumentType]
    for minute in range(1, 4):
        now[0] = minute * 60.0
        log(msgspec.structs.replace(progress(7), endpoints=(held("rtx"),)))
    assert notes.written == [f"d: 7/100 calls kept, waits: {IN_USE}"] * 3
    assert lines == []


def test_writing_goes_on_while_notes_cannot_be_kept() -> None:
    class Away(Notes):
        is_away = True

        def set_note(self, dataset: str, note: str) -> None:
            if self.is_away:
                raise OperationalError("UPDATE", {}, Exception("the server closed the connection"))
            super().set_note(dataset, note)

    now, lines, notes = [0.0], [], Away()
    log = ProgressLog(lines.append, notes, "d", clock=lambda: now[0])  # pyright: ignore[reportArgumentType]
    for kept in range(3):
        now[0] += 2.0
        log(progress(kept))
    assert [line for line in lines if "not noted while the database is away" in line] == lines[:1]
    notes.is_away = False
    now[0] += 2.0
    log(progress(4))
    assert len(notes.written) == 1
