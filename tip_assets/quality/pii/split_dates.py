"""Known days whose month and day are said in different turns: "October" / "mm-hmm" / "the ninth"."""

from collections.abc import Iterable, Iterator

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.dates import MONTH_NUMBERS
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.spoken import Piece

# The other speaker's turn between, and one of their own that says nothing.
MOST_TURNS_APART = 4
_AT_THE_EDGE = 3


def split_dates(call: CallText, days: Iterable[tuple[int, int]], kind: str) -> Iterator[Found]:
    """Yields month and day, each where it stands, of every (month, day) said by one speaker over two turns."""
    wanted = set(days)
    months = {name for name, month in MONTH_NUMBERS.items() for wanted_month, _ in wanted if month == wanted_month}
    if not any(name in call.written.text for name in months):
        return
    for month_at, word in enumerate(call.words):
        if word not in months:
            continue
        for step in (1, -1):
            for day in _days_near(call, month_at, step):
                if (MONTH_NUMBERS[word], int(day.text)) in wanted:
                    yield Found(call.starts[month_at], call.ends[month_at], kind, True)
                    yield Found(call.starts[day.first], call.ends[day.last], kind, True)


def _days_near(call: CallText, month_at: int, step: int) -> Iterator[Piece]:
    """Numbers at the near edge of the next turn (or the one before) of who says the month."""
    turn_of, numbers = call.turn_of_token, call.number_at if step > 0 else call.number_to
    own_turn = turn_of[month_at]
    at, passed, seen, edge_turn = month_at + step, 0, 0, None
    while 0 <= at < len(call.words):
        number = numbers.get(at)
        turn = turn_of[at]
        passed += 1
        if abs(turn - own_turn) > MOST_TURNS_APART:
            return
        if turn != own_turn and call.turns[turn].speaker == call.turns[own_turn].speaker:
            edge_turn = turn if edge_turn is None else edge_turn
            seen += 1
            if turn != edge_turn or seen > _AT_THE_EDGE:
                return
            if number and len(number.text) <= 2 and 0 < int(number.text) <= 31:
                yield number
        elif turn == own_turn and passed > _AT_THE_EDGE:
            return
        at = at + step if number is None else number.last + 1 if step > 0 else number.first - 1
