"""Known days whose month and day are said in different turns: "October" / "mm-hmm" / "the ninth"."""

from collections.abc import Iterable, Iterator

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.dates import MONTH_NUMBERS
from tip_assets.quality.pii.found import Found

# The other speaker's turn between, and one of their own that says nothing.
MOST_TURNS_APART = 4
_AT_THE_EDGE = 3


def split_dates(call: CallText, days: Iterable[tuple[int, int]], kind: str) -> Iterator[Found]:
    """Yields month and day, each where it stands, of every (month, day) said by one speaker over two turns."""
    wanted = set(days)
    months = [(at, MONTH_NUMBERS[token.text]) for at, token in enumerate(call.numbers) if token.text in MONTH_NUMBERS]
    for at, month in months:
        for step in (1, -1):
            near = _days_near(call, at, step)
            for other, day in near:
                if (month, day) in wanted:
                    for place in (at, other):
                        token = call.numbers[place]
                        yield Found(call.starts[token.first], call.ends[token.last], kind, True)


def _days_near(call: CallText, month_at: int, step: int) -> Iterator[tuple[int, int]]:
    """(place, day) of numbers at the near edge of the next turn (or the one before) of who says the month."""
    turn_of = call.turn_of_token
    own_turn = turn_of[call.numbers[month_at].first]
    at, seen, edge_turn = month_at + step, 0, None
    while 0 <= at < len(call.numbers):
        token = call.numbers[at]
        turn = turn_of[token.first]
        if abs(turn - own_turn) > MOST_TURNS_APART:
            return
        if turn != own_turn and call.turns[turn].speaker == call.turns[own_turn].speaker:
            edge_turn = turn if edge_turn is None else edge_turn
            seen += 1
            if turn != edge_turn or seen > _AT_THE_EDGE:
                return
            if token.is_number and len(token.text) <= 2 and 0 < int(token.text) <= 31:
                yield at, int(token.text)
        elif turn == own_turn and abs(at - month_at) > _AT_THE_EDGE:
            return
        at += step
