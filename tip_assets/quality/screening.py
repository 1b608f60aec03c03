"""The quality stages over whole sets, as plain functions over streams; assets.py hands them to Dagster."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.scrubbing import FindMore, drawn_again, redact, with_spans
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import RedactionStyle, SpanSource

_MOST_DRAWS = 4


def passing(minimum_score: float) -> pl.Expr:
    """Rows of a graded set whose overall grade, divided by 5, reaches `minimum_score`."""
    return _grade("overall") / 5 >= minimum_score


def mean_grades(frame: pl.LazyFrame) -> dict[str, float | None]:
    """Mean realism, coherence, naturalness and overall (0-5) of a graded set; None for an empty one."""
    names = ("realism", "coherence", "naturalness", "overall")
    return frame.select(_grade(name).mean().round(2).alias(name) for name in names).collect().row(0, named=True)


def checked(
    found: Conversation, facts: Sequence[PersonalFact], styles: Iterable[RedactionStyle], key: bytes | None
) -> tuple[Conversation, dict[RedactionStyle, tuple[str, ...]]]:
    """The call, and what the independent check still finds in each style: types and parts, never the facts.

    A surrogate may by chance be another fact of the same speakers, or a piece of one; the call then takes another
    draw of surrogates, and so does every later export of it.

    Args:
        found: A call with its spans.
        facts: What is known of its speakers.
        styles: Those to check.
        key: Of the data set; surrogates and hash tags want it.
    """
    leaks: dict[RedactionStyle, tuple[str, ...]] = {
        style: leaked_facts(redact(found, style, key=key), facts) for style in styles
    }
    for draw in range(1, _MOST_DRAWS):
        if not leaks.get("surrogate") or any(leaks[style] for style in leaks if style != "surrogate"):
            break
        found = drawn_again(found, draw)
        leaks["surrogate"] = leaked_facts(redact(found, "surrogate", key=key), facts)
    return found, leaks


class ScrubScreen:
    """Finds personal data once and keeps the spans; holds back calls whose facts cannot be scrubbed.

    Args:
        styles: Those in which the set will be exported: a call must be clean in every one of them.
        key: Of the data set, for surrogates and hash tags.
        also: Another finder of personal data.
    """

    def __init__(
        self,
        styles: Iterable[RedactionStyle] = ("type_tag",),
        key: bytes | None = None,
        also: FindMore | None = None,
    ) -> None:
        self._also = also
        self._styles = tuple(dict.fromkeys(("type_tag", *styles)))
        self._key = key
        self.spans_by_type: Counter[tuple[str, SpanSource]] = Counter()
        self.calls_with_spans = 0
        self.held_back_by_reason: Counter[str] = Counter()
        self.held_back: dict[str, tuple[str, ...]] = {}
        self.passed = 0

    def screen(self, planned: Iterable[tuple[Conversation, CallPlan]]) -> Iterator[Conversation]:
        """Calls with their spans, the text as it was. Types of leaked facts are kept, never the facts."""
        for conversation, plan in planned:
            found = with_spans(conversation, plan.facts, self._also)
            found, leaks = checked(found, plan.facts, self._styles, self._key)
            if leaked := tuple(sorted(set().union(*leaks.values()))):
                self.held_back[conversation.id] = leaked
                self.held_back_by_reason.update(leaked)
                continue
            for span in found.annotations.spans or ():
                self.spans_by_type[span.type, span.source] += 1
            self.calls_with_spans += bool(found.annotations.spans)
            self.passed += 1
            yield found

    @property
    def held_back_share(self) -> float:
        """Share of calls held back, 0-1."""
        total = self.passed + len(self.held_back)
        return len(self.held_back) / total if total else 0.0


def _grade(name: str) -> pl.Expr:
    return pl.col("annotations").struct.field("grade").struct.field(name)
