"""Lines of a log about how far the comparison by meaning is."""

from tip_assets.quality.duplicates.meaning_progress import LoggedProgress


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told_of(steps: list[tuple[float, str, int, int]]) -> list[str]:
    """The lines told when what is reported takes these seconds each."""
    clock, lines = _Clock(), list[str]()
    progress = LoggedProgress(lines.append, clock)
    for seconds, what, done, total in steps:
        clock.now += seconds
        progress(what, done, total)
    return lines


def test_the_time_that_is_left_is_told_at_once_then_every_half_minute_and_at_the_end():
    reading = [(10.0, "calls read", 256 * (n + 1), 2560) for n in range(10)]
    assert told_of([*reading, (6.0, "pairs compared", 256, 7936)]) == [
        "meaning: 256 of 2,560 calls read, about 90 s left",
        "meaning: 1,024 of 2,560 calls read, about 60 s left",
        "meaning: 1,792 of 2,560 calls read, about 30 s left",
        "meaning: 2,560 of 2,560 calls read, about 0 s left",
        "meaning: 256 of 7,936 pairs compared, about 3 min left",
    ]


def test_what_is_done_at_once_is_not_told():
    assert told_of([(3.0, "pairs compared", 76, 76)]) == []
