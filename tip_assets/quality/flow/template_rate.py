"""How often calls of a set take the same course: the template rate and the most frequent skeletons.

Two calls take the same course when their scenarios have the same intent path and their moves (moves.py) come in
the same order. Such calls are told of, not removed: real calls about one thing run alike too. Two long calls hardly
ever run alike from end to end, so passages of eight moves in a row are counted as well.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator

import msgspec

from tip_assets.quality.flow.moves import is_told_in, moves_of
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.set_metric import SetMetric

# Skeletons watched at once: every one that makes up more than 1 in 4,096 calls is sure to be among them.
_WATCHED = 4_096
_EXAMPLES = 3
_TOP = 10
# Moves of a passage: of six, most are common to any two sets of calls; of ten, hardly any.
_PASSAGE_MOVES = 8
# Passages remembered; of a larger set an even sample of so many at least half, the same ones from every call.
_PASSAGES_KEPT = 1 << 20
_ENGLISH_ONLY = "moves are told in English only"


class FlowGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that take one course. `moves` are as moves_of tells them; `examples` are ids of the first few calls."""

    path: tuple[str, ...]
    moves: tuple[str, ...]
    calls: int
    examples: tuple[str, ...]


class FlowReport(msgspec.Struct, frozen=True, kw_only=True):
    """`rate`: share of the `calls` measured that share their course with another; None where none was measured.

    `shared_passages`: share of the passages of eight moves (different ones of each call) that another call has too;
    it grows with the number of calls, so compare sets of one size. None where no call has eight moves.
    `courses` counts the different courses; `groups` are those taken most often, at least twice; `unmeasured`
    calls are in a language without rules, or have nothing that is a move.
    """

    rate: float | None
    shared_passages: float | None
    calls: int
    courses: int
    unmeasured: int
    groups: tuple[FlowGroup, ...]

    def metrics(self) -> list[SetMetric]:
        """The rows of the set's metrics: how much calls run alike, whole and in passages, and the commonest course."""
        if not self.calls:
            detail = f"no call measured: {_ENGLISH_ONLY}" if self.unmeasured else "no calls"
            names = ("template_rate", "shared_passages", "courses_per_call", "commonest_course_share")
            return [SetMetric(name=name, group="flow", detail=detail) for name in names]
        measured = f"{self.calls:,} {'call' if self.calls == 1 else 'calls'} measured" + (
            f", {self.unmeasured:,} not ({_ENGLISH_ONLY}, or nothing said)" if self.unmeasured else ""
        )
        commonest = self.groups[0] if self.groups else None
        return [
            SetMetric(name="template_rate", group="flow", value=self.rate, goal="low", detail=measured),
            SetMetric(
                name="shared_passages",
                group="flow",
                value=self.shared_passages,
                goal="as in real calls",
                detail=f"passages of {_PASSAGE_MOVES} moves that another call has too; grows with the set"
                if self.shared_passages is not None
                else f"no call has {_PASSAGE_MOVES} moves",
            ),
            SetMetric(
                name="courses_per_call",
                group="flow",
                value=self.courses / self.calls,
                goal="near 1",
                detail=f"{self.courses:,} different orders of moves within an intent path",
            ),
            SetMetric(
                name="commonest_course_share",
                group="flow",
                value=(commonest.calls if commonest else 1) / self.calls,
                goal="low",
                detail=" ".join(commonest.moves) if commonest else "no course is taken twice",
            ),
        ]


def template_rate(calls_with_plans: Iterable[tuple[Conversation, CallPlan | None]]) -> FlowReport:
    """Measures a set in one pass; a call without a plan (an import) is compared by its moves alone.

    Memory: 8 bytes a call, and some 20 MB for the skeletons and passages watched. The counts are exact; a course that
    makes up less than 1 in 4,096 calls can be missing from `groups`, never from the rate.
    """
    hashes = array("Q")
    unmeasured = 0
    watched, passages = _Frequent(), _Passages()
    for call, plan in calls_with_plans:
        moves = moves_of(call) if is_told_in(call.language) else ()
        if not moves:
            unmeasured += 1
            continue
        path = plan.scenario.intent_path if plan else ()
        course = _hash(path, moves)
        hashes.append(course)
        watched.see(course, path, moves, call.id)
        passages.see(moves)
    return _report(hashes, unmeasured, watched, passages)


class _Frequent:
    """Misra and Gries, "Finding repeated elements" (1982): the frequent ones of a stream in bounded memory."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._groups: dict[int, tuple[tuple[str, ...], tuple[str, ...], list[str]]] = {}

    def see(self, course: int, path: tuple[str, ...], moves: tuple[str, ...], id_: str) -> None:
        if course in self._counts:
            self._counts[course] += 1
            examples = self._groups[course][2]
            if len(examples) < _EXAMPLES:
                examples.append(id_)
        elif len(self._counts) < _WATCHED:
            self._counts[course] = 1
            self._groups[course] = (path, moves, [id_])
        else:
            self._forget_the_rarest()

    def groups(self) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...], list[str]]]:
        for course, (path, moves, examples) in self._groups.items():
            yield course, path, moves, examples

    def _forget_the_rarest(self) -> None:
        for course in list(self._counts):
            self._counts[course] -= 1
            if not self._counts[course]:
                del self._counts[course], self._groups[course]


class _Passages:
    """Hashes of the passages of every call, each once a call; of many, those whose hash divides by `_one_in`."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._one_in = 1

    def see(self, moves: tuple[str, ...]) -> None:
        passages = {moves[start : start + _PASSAGE_MOVES] for start in range(len(moves) - _PASSAGE_MOVES + 1)}
        self._hashes.extend(found for passage in passages if (found := _hash((), passage)) % self._one_in == 0)
        while len(self._hashes) > _PASSAGES_KEPT:
            self._one_in *= 2
            self._hashes = array("Q", (kept for kept in self._hashes if kept % self._one_in == 0))

    def shared(self) -> float | None:
        import numpy as np

        if not self._hashes:
            return None
        _, counts = np.unique(np.frombuffer(self._hashes, dtype=np.uint64), return_counts=True)
        return float(counts[counts > 1].sum() / len(self._hashes))


def _report(hashes: array, unmeasured: int, watched: _Frequent, passages: _Passages) -> FlowReport:
    import numpy as np

    courses, counts = np.unique(np.frombuffer(hashes, dtype=np.uint64), return_counts=True)
    counted = {course: int(counts[np.searchsorted(courses, np.uint64(course))]) for course, _, _, _ in watched.groups()}
    groups = [
        FlowGroup(path=path, moves=moves, calls=counted[course], examples=tuple(examples))
        for course, path, moves, examples in watched.groups()
        if counted[course] > 1
    ]
    groups.sort(key=lambda group: (-group.calls, group.examples))
    return FlowReport(
        rate=float(counts[counts > 1].sum() / len(hashes)) if len(hashes) else None,
        shared_passages=passages.shared(),
        calls=len(hashes),
        courses=len(courses),
        unmeasured=unmeasured,
        groups=tuple(groups[:_TOP]),
    )


def _hash(path: tuple[str, ...], moves: tuple[str, ...]) -> int:
    # 64 bits: of a million courses two different ones meet with a chance of about 3 in 100 million.
    return int.from_bytes(hashlib.blake2b("\n".join((*path, "", *moves)).encode(), digest_size=8).digest(), "little")
