"""Progress costs little, and says how far, how fast and how long."""

from dataclasses import dataclass, field

from tip_assets.generation.progress import ProgressLog
from tip_assets.generation.write_calls import WritingProgress


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


def test_a_reason_to_wait_is_logged_once_and_noted_each_time() -> None:
    lines, notes = [], Notes()
    log = ProgressLog(lines.append, notes, "d")  # pyright: ignore[reportArgumentType]
    for _ in range(3):
        log.notice("no model server answers\nTried: ...")
    assert len(lines) == 1
    assert notes.written == ["d: waiting: no model server answers"] * 3
