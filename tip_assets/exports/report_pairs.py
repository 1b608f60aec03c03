"""Duplicates for the report: how many were found by which method, and a few pairs to read side by side.

Most duplicates are refused while a set is written and replaced; they are among the rejects. The others were removed
by the full comparison afterwards. Everything shown is redacted first.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from tip_assets.exports.report_data import Count, DuplicateFindings, DuplicatePair, SampleTurn
from tip_assets.generation.conversations import answered_turns
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.pii.styles import RedactionStyle
from tip_assets.quality.scrubbing import redact
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.reject import Reject

PAIRS_SHOWN = 6
_MOST_OF_A_METHOD = 2
_SHOWN_TURNS = 14
_SHOWN_CHARACTERS = 400
_SPOKEN_LINE = re.compile(r"(agent|customer|system): (.*)")

# The personal facts of a plan, by its index.
FactsOf = Callable[[int], Sequence[PersonalFact]]


class _Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A duplicate that could be shown; `removed` is None while its text is still to be fetched by `id`."""

    id: str
    earlier: str
    method: str
    similarity: float
    removed: Conversation | None = None


def duplicate_findings(
    rejects: Iterable[Reject],
    removed: Iterable[RemovedCall],
    *,
    facts_of: FactsOf,
    calls_by_id: Callable[[Sequence[str]], Mapping[str, Conversation]],
    style: RedactionStyle,
) -> DuplicateFindings:
    """Counts all duplicates and picks at most six pairs, two of a method, that can be shown.

    Both texts must be known, and nothing personal may be left in them.

    Args:
        rejects: What could not be used while writing.
        removed: What the full comparison removed.
        facts_of: What must not be seen of a call, by its plan's index.
        calls_by_id: Calls of the set as they were written; ids it does not know are left out.
        style: How the texts are redacted.
    """
    counts: Counter[str] = Counter()
    chosen: dict[str, list[_Candidate]] = {}
    for candidate in chain(_refused(rejects, counts), _removed(removed, counts)):
        of_method = chosen.setdefault(candidate.method, [])
        if len(of_method) < _MOST_OF_A_METHOD:
            of_method.append(candidate)
    candidates = [candidate for of_method in chosen.values() for candidate in of_method]
    texts = calls_by_id(sorted({id_ for one in candidates for id_ in (one.id, one.earlier) if id_}))
    pairs = []
    for candidate in candidates:
        kept = _shown(texts.get(candidate.earlier), facts_of, style)
        gone = _shown(candidate.removed or texts.get(candidate.id), facts_of, style)
        if kept and gone:
            pairs.append(
                DuplicatePair(
                    method=candidate.method,
                    similarity=candidate.similarity,
                    kept_id=candidate.earlier,
                    kept=kept,
                    removed=gone,
                )
            )
    return DuplicateFindings(
        by_method=tuple(Count(name, count) for name, count in counts.most_common()),
        pairs=tuple(sorted(pairs, key=lambda pair: pair.similarity))[:PAIRS_SHOWN],
    )


def _removed(removed: Iterable[RemovedCall], counts: Counter[str]) -> Iterator[_Candidate]:
    for one in removed:
        counts[one.method] += 1
        if not one.dataset_of:
            yield _Candidate(id=one.id, earlier=one.duplicate_of, method=one.method, similarity=one.similarity)


def _refused(rejects: Iterable[Reject], counts: Counter[str]) -> Iterator[_Candidate]:
    for reject in rejects:
        if reject.reason != "duplicate":
            continue
        found = RemovedCall.from_words(reject.detail)
        counts[found.method if found else "already delivered"] += 1
        turns = turns_of(reject.raw_text) if found and reject.index is not None else ()
        if found and turns:
            yield _Candidate(
                id="",
                earlier=found.duplicate_of,
                method=found.method,
                similarity=found.similarity,
                removed=Conversation(id="", turns=turns, index=reject.index),
            )


def turns_of(raw_text: str) -> tuple[Turn, ...]:
    """The turns of a rejected call, from the JSON or the lines it was kept as; empty when there are none to read."""
    try:
        return answered_turns(msgspec.json.decode(raw_text))
    except msgspec.ValidationError:
        return ()
    except msgspec.DecodeError:
        lines = (_SPOKEN_LINE.fullmatch(line) for line in raw_text.splitlines())
        return tuple(Turn(speaker=line[1], text=line[2]) for line in lines if line)  # type: ignore[arg-type]


def _shown(call: Conversation | None, facts_of: FactsOf, style: RedactionStyle) -> tuple[SampleTurn, ...]:
    """The beginning of a call, redacted; nothing where it is not known or a personal fact would be left in it."""
    if call is None:
        return ()
    facts = facts_of(call.index) if call.index is not None else ()
    redacted = redact(call, style, facts)
    if leaked_facts(redacted, facts):
        return ()
    return tuple(SampleTurn(turn.speaker, turn.text[:_SHOWN_CHARACTERS]) for turn in redacted.turns[:_SHOWN_TURNS])
