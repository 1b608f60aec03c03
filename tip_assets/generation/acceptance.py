"""Which written calls are kept: valid, new, good enough, and free of facts that could not be scrubbed.

The same functions re-check the whole set behind raw_conversations, so what is kept here stays kept.
"""

from collections.abc import Iterable

import msgspec

from tip_assets.quality.duplicates.earlier_calls import EarlierCalls
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.duplicates.sketches import sketches
from tip_assets.quality.duplicates.thresholds import DEFAULT, Thresholds
from tip_assets.quality.grading import grade_locally
from tip_assets.quality.screening import checked
from tip_assets.quality.scrubbing import redact, with_spans
from tip_assets.quality.validity import problems
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.grade import Grade
from tip_resources.domain.redaction import RedactionStyle
from tip_resources.domain.sketch import CallSketch


class Refusal(msgspec.Struct, frozen=True):
    """Why a call is not kept; `reason` is a word to count by."""

    reason: str
    detail: str


class Gatekeeper:
    """Judges calls one at a time as they are written; remembers those it let pass.

    Duplicates are found by their words, not by their meaning: deduped_conversations looks at that once, for the
    whole set.

    Args:
        minimum_turns: Shortest call that is kept.
        minimum_score: Least overall grade, divided by 5.
        delivered: What other sets delivered; None where no other set counts.
        thresholds: From how much likeness on a call repeats another.
        styles: Those in which the set will be exported: a call must be clean in each of them and as type tags, or it
            would be held back when it is too late to write another.
        key: Of the data set, for surrogates and hash tags.
    """

    def __init__(
        self,
        *,
        minimum_turns: int,
        minimum_score: float,
        delivered: EarlierCalls | None = None,
        thresholds: Thresholds = DEFAULT,
        styles: Iterable[RedactionStyle] = (),
        key: bytes | None = None,
    ) -> None:
        self._minimum_turns = minimum_turns
        self._minimum_score = minimum_score
        self._delivered = delivered
        self._index = DuplicateIndex(thresholds=thresholds)
        self._styles: tuple[RedactionStyle, ...] = tuple(dict.fromkeys(("type_tag", *styles)))
        self._key = key

    def require(self, *, minimum_turns: int, minimum_score: float) -> None:
        """From the next call on, these are asked of it; what was kept stays kept."""
        self._minimum_turns, self._minimum_score = minimum_turns, minimum_score

    def remember(self, conversation: Conversation) -> None:
        """Counts a call kept earlier (by a run that was cut off) as taken."""
        self._index.add(_sketch(conversation))

    def judge(self, conversation: Conversation, plan: CallPlan) -> Conversation | Refusal:
        """The call with its quick grade when it is kept; from then on its duplicates are refused."""
        if invalid := self._invalid(conversation):
            return invalid
        sketch = _sketch(conversation)
        if repeated := self._repeated(sketch):
            return Refusal("duplicate", repeated.in_words)
        grade = grade_locally(conversation, plan)
        if refusal := self._poor(grade) or self._unscrubbable(conversation, plan):
            return refusal
        self._index.add(sketch)
        annotations = msgspec.structs.replace(conversation.annotations, grade=grade)
        return msgspec.structs.replace(conversation, annotations=annotations)

    def _invalid(self, conversation: Conversation) -> Refusal | None:
        found = problems(conversation, minimum_turns=self._minimum_turns)
        return Refusal(found[0].reason, found[0].detail) if found else None

    def _repeated(self, sketch: CallSketch) -> RemovedCall | None:
        if match := self._index.find(sketch):
            return RemovedCall.of(match)
        return self._delivered.repeated_by([sketch])[0] if self._delivered else None

    def _poor(self, grade: Grade) -> Refusal | None:
        if grade.overall / 5 >= self._minimum_score:
            return None
        return Refusal("low_grade", f"overall {grade.overall:.2f} of 5, {grade.rationale}")

    def _unscrubbable(self, conversation: Conversation, plan: CallPlan) -> Refusal | None:
        _, leaks = checked(with_spans(conversation, plan.facts), plan.facts, self._styles, self._key)
        leaked = sorted(set().union(*leaks.values()))
        return Refusal("unscrubbable", f"could not scrub: {', '.join(leaked)}") if leaked else None


def _sketch(conversation: Conversation) -> CallSketch:
    (sketch,) = sketches([conversation])
    return sketch


def scrubbed(conversation: Conversation, plan: CallPlan) -> Conversation:
    """The conversation with personal data replaced by type tags."""
    return redact(with_spans(conversation, plan.facts), "type_tag")
