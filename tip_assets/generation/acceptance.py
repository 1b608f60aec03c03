"""Which written calls are kept: valid, new, good enough, and free of facts that could not be scrubbed.

The same functions re-check the whole set behind raw_conversations, so what is kept here stays kept.
"""

from collections.abc import Callable

import msgspec

from tip_assets.quality.duplicates.fingerprints import fingerprints
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.grading import grade_locally
from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.scrubbing import redact
from tip_assets.quality.validity import problems
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Annotations, Conversation

# Looks a normalised fingerprint up among what other sets delivered: the id of that call, or None.
DeliveredLookup = Callable[[str], str | None]


class Refusal(msgspec.Struct, frozen=True):
    """Why a call is not kept; `reason` is a word to count by."""

    reason: str
    detail: str


class Gatekeeper:
    """Judges calls one at a time as they are written; remembers those it let pass.

    Args:
        minimum_turns: Shortest call that is kept.
        minimum_score: Least overall grade, divided by 5.
        delivered: Lookup among other sets' calls.
    """

    def __init__(self, *, minimum_turns: int, minimum_score: float, delivered: DeliveredLookup) -> None:
        self._minimum_turns = minimum_turns
        self._minimum_score = minimum_score
        self._delivered = delivered
        self._index = DuplicateIndex()

    def remember(self, conversation: Conversation) -> None:
        """Counts a call kept earlier (by a run that was cut off) as taken."""
        self._index.add(conversation)

    def judge(self, conversation: Conversation, plan: CallPlan) -> Refusal | None:
        """None when the call is kept; from then on its duplicates are refused."""
        refusal = (
            self._invalid(conversation)
            or self._duplicate(conversation)
            or self._poor(conversation, plan)
            or self._unscrubbable(conversation, plan)
        )
        if refusal is None:
            self._index.add(conversation)
        return refusal

    def _invalid(self, conversation: Conversation) -> Refusal | None:
        found = problems(conversation, minimum_turns=self._minimum_turns)
        return Refusal(found[0].reason, found[0].detail) if found else None

    def _duplicate(self, conversation: Conversation) -> Refusal | None:
        if match := self._index.find(conversation):
            return Refusal("duplicate", f"{match.method} duplicate of {match.duplicate_of}")
        if other := self._delivered(fingerprints(conversation).normalized):
            return Refusal("duplicate", f"already delivered as {other}")
        return None

    def _poor(self, conversation: Conversation, plan: CallPlan) -> Refusal | None:
        grade = grade_locally(conversation, plan)
        if grade.overall / 5 >= self._minimum_score:
            return None
        return Refusal("low_grade", f"overall {grade.overall:.2f} of 5, {grade.rationale}")

    def _unscrubbable(self, conversation: Conversation, plan: CallPlan) -> Refusal | None:
        leaked = leaked_facts(scrubbed(conversation, plan), plan.facts)
        return Refusal("unscrubbable", f"could not scrub: {', '.join(sorted(set(leaked)))}") if leaked else None


def with_spans(conversation: Conversation, plan: CallPlan) -> Conversation:
    """The conversation with the spans of its personal data; the text stays as it is."""
    spans = find_spans(conversation, plan.facts)
    annotations: Annotations = msgspec.structs.replace(conversation.annotations, spans=spans)
    return msgspec.structs.replace(conversation, annotations=annotations)


def scrubbed(conversation: Conversation, plan: CallPlan) -> Conversation:
    """The conversation with personal data replaced by type tags."""
    return redact(with_spans(conversation, plan), "type_tag")
