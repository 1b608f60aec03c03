"""Duplicates for the report: how many were found by which method, and a few pairs to read side by side.

Most duplicates are refused while a set is written and replaced; they are among the rejects. The others were removed
by the full comparison afterwards. Everything shown is redacted first.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

import msgspec

from tip_assets.exports.report_data import Count, DuplicateFindings, DuplicatePair, SampleTurn
from tip_assets.generation.conversations import answered_turns
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.pii.styles import shown_style
from tip_assets.quality.scrubbing import redact
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import RedactionStyle
from tip_resources.domain.reject import Reject

PAIRS_SHOWN = 6
_MOST_OF_A_METHOD = 2
_SHOWN_TURNS = 14
_SHOWN_CHARACTERS = 400
_SPOKEN_LINE = re.compile(r"(agent|customer|system): (.*)")


class KnownCall(NamedTuple):
    """A call, and what must not be seen of it."""

    conversation: Conversation
    facts: Sequence[PersonalFact]


# The personal facts of a plan, by its index.
FactsOf = Callable[[int], Sequence[PersonalFact]]
# Calls by id, of the data set with this name, or of the reported one for "".
CallsOf = Callable[[str, Sequence[str]], Mapping[str, KnownCall]]


class _Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A duplicate that could be shown; `removed` is None while its text is still to be fetched by `id`."""

    id: str
    earlier: str
    earlier_dataset: str
    method: str
    similarity: float
    removed: KnownCall | None = None


def duplicate_findings(
    rejects: Iterable[Reject],
    removed: Iterable[RemovedCall],
    *,
    facts_of: FactsOf,
    calls_of: CallsOf,
    style: RedactionStyle,
) -> DuplicateFindings:
    """Counts all duplicates and picks at most six pairs, two of a method, that can be shown.

    Both texts must be known, and nothing personal may be left in them.

    Args:
        rejects: What could not be used while writing.
        removed: What the full comparison removed.
        facts_of: What must not be seen of a call, by its plan's index.
        calls_of: Calls of this set as they were written and of others as delivered; ids it does not know are left out.
        style: Of the exports; people are shown tags.
    """
    counts: Counter[str] = Counter()
    chosen: dict[str, list[_Candidate]] = {}
    for candidate in chain(_refused(rejects, counts, facts_of), _removed(removed, counts)):
        of_method = chosen.setdefault(candidate.method, [])
        if len(of_method) < _MOST_OF_A_METHOD:
            of_method.append(candidate)
    candidates = [candidate for of_method in chosen.values() for candidate in of_method]
    texts = _texts(candidates, calls_of)
    pairs = []
    for candidate in candidates:
        kept = _shown(texts.get((candidate.earlier_dataset, candidate.earlier)), shown_style(style))
        gone = _shown(candidate.removed or texts.get(("", candidate.id)), shown_style(style))
        if kept and gone:
            pairs.append(
                DuplicatePair(
                    method=candidate.method,
                    similarity=candidate.similarity,
                    kept_id=candidate.earlier,
                    kept_in=candidate.earlier_dataset,
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
        yield _Candidate(
            id=one.id,
            earlier=one.duplicate_of,
            earlier_dataset=one.dataset_of,
            method=one.method,
            similarity=one.similarity,
        )


def _texts(candidates: Iterable[_Candidate], calls_of: CallsOf) -> dict[tuple[str, str], KnownCall]:
    """The calls that candidates name, by data set and id; each data set is asked once."""
    named = {("", one.id) for one in candidates if one.id}
    named |= {(one.earlier_dataset, one.earlier) for one in candidates}
    return {
        (dataset, id_): call
        for dataset, of_set in groupby(sorted(named), key=itemgetter(0))
        for id_, call in calls_of(dataset, [id_ for _, id_ in of_set]).items()
    }


def _refused(rejects: Iterable[Reject], counts: Counter[str], facts_of: FactsOf) -> Iterator[_Candidate]:
    for reject in rejects:
        if reject.reason != "duplicate":
            continue
        found = RemovedCall.from_words(reject.detail)
        counts[found.method if found else "already delivered"] += 1
        turns = turns_of(reject.raw_text) if found else ()
        if found and turns and reject.index is not None:
            yield _Candidate(
                id="",
                earlier=found.duplicate_of,
                earlier_dataset=found.dataset_of,
                method=found.method,
                similarity=found.similarity,
                removed=KnownCall(Conversation(id="", turns=turns, index=reject.index), facts_of(reject.index)),
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


def _shown(call: KnownCall | None, style: RedactionStyle) -> tuple[SampleTurn, ...]:
    """The beginning of a call, redacted; nothing where it is not known or a personal fact would be left in it."""
    if call is None:
        return ()
    redacted = redact(call.conversation, style, call.facts)
    if leaked_facts(redacted, call.facts):
        return ()
    return tuple(SampleTurn(turn.speaker, turn.text[:_SHOWN_CHARACTERS]) for turn in redacted.turns[:_SHOWN_TURNS])
