"""How often calls of a set take the same course: the template rate and the most frequent skeletons.

Two calls take the same course when their scenarios have the same intent path and their moves (moves.py) come in
the same order. Such calls are told of, not removed: real calls about one thing run alike too.
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
_ENGLISH_ONLY = "moves are told in English only"


class FlowGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that take one course. `moves` are as moves_of tells them; `examples` are ids of the first few calls."""

    path: tuple[str, ...]
    moves: tuple[str, ...]
    calls: int
    examples: tuple[str, ...]


class FlowReport(msgspec.Struct, frozen=True, kw_only=True):
    """`rate`: share of the `calls` measured that share their course with another; None where none was measured.

    `courses` counts the different courses; `groups` are those taken most often, at least twice; `unmeasured`
    calls are in a language without rules, or have nothing that is a move.
    """

    rate: float | None
    calls: int
    courses: int
    unmeasured: int
    groups: tuple[FlowGroup, ...]

    def metrics(self) -> list[SetMetric]:
        """The rows of the set's metrics: template rate, different courses per call, share of the commonest course."""
        if not self.calls:
            detail = f"no call measured: {_ENGLISH_ONLY}" if self.unmeasured else "no calls"
            names = ("template_rate", "courses_per_call", "commonest_course_share")
            return [SetMetric(name=name, group="flow", detail=detail) for name in names]
        measured = f"{self.calls:,} calls measured" + (
            f", {self.unmeasured:,} not ({_ENGLISH_ONLY}, or nothing said)" if self.unmeasured else ""
        )
        commonest = self.groups[0] if self.groups else None
        return [
            SetMetric(name="template_rate", group="flow", value=self.rate, goal="low", detail=measured),
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

    Memory: 8 bytes a call, and some megabytes for the skeletons watched. The counts are exact; a course that
    makes up less than 1 in 4,096 calls can be missing from `groups`, never from the rate.
    """
    hashes = array("Q")
    unmeasured = 0
    watched = _Frequent()
    for call, plan in calls_with_plans:
        moves = moves_of(call) if is_told_in(call.language) else ()
        if not moves:
            unmeasured += 1
            continue
        path = plan.scenario.intent_path if plan else ()
        course = _hash(path, moves)
        hashes.append(course)
        watched.see(course, path, moves, call.id)
    return _report(hashes, unmeasured, watched)


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


def _report(hashes: array, unmeasured: int, watched: _Frequent) -> FlowReport:
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
        calls=len(hashes),
        courses=len(courses),
        unmeasured=unmeasured,
        groups=tuple(groups[:_TOP]),
    )


def _hash(path: tuple[str, ...], moves: tuple[str, ...]) -> int:
    # 64 bits: of a million courses two different ones meet with a chance of about 3 in 100 million.
    return int.from_bytes(hashlib.blake2b("\n".join((*path, "", *moves)).encode(), digest_size=8).digest(), "little")
