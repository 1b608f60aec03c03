"""The report's section on duplicates: how many, found how, and pairs side by side with their differences marked."""

import difflib
from collections.abc import Iterator, Sequence
from itertools import groupby

from tip_assets.exports.report_charts import bar_list
from tip_assets.exports.report_data import DuplicatePair, ReportData, SampleTurn
from tip_assets.exports.report_text import SPEAKER_WORDS, calls, escaped, with_tags_marked

_METHOD_WORDS = {
    "exact": "word for word",
    "normalized": "the same words, other punctuation or case",
    "near": "nearly the same words",
    "masked": "the same call about other names and numbers",
    "semantic": "the same said in other words",
}


def duplicates_section(data: ReportData) -> str:
    """Counts by method on one side, what they mean on the other, then the pairs."""
    found = data.duplicates
    total = sum(count.count for count in found.by_method)
    if not total:
        return '<p class="quiet">No call repeated another one, of this set or of any delivered before.</p>'
    named = [type(count)(_METHOD_WORDS.get(count.name, count.name), count.count) for count in found.by_method]
    note = f'<p class="quiet">{calls(total)} found in all; none of them is in the files delivered.</p>'
    pairs = "".join(_pair(pair, is_open=place == 0) for place, pair in enumerate(found.pairs))
    return f'<div class="columns"><div>{bar_list(named, css_class="bar loss")}{note}</div></div>{pairs}'


def _pair(pair: DuplicatePair, *, is_open: bool) -> str:
    kept, removed = _marked(pair.kept, pair.removed), _marked(pair.removed, pair.kept)
    method = _METHOD_WORDS.get(pair.method, pair.method)
    stays = f"Delivered before, in {pair.kept_in}" if pair.kept_in else "Kept"
    return (
        f"<details{' open' if is_open else ''}><summary><b>{escaped(method[:1].upper() + method[1:])}</b>"
        f"<span>similarity</span><i>{pair.similarity:.2f}</i></summary>"
        f'<div class="pair"><div><h3>{escaped(stays)}</h3><ol>{kept}</ol></div>'
        f"<div><h3>Left out</h3><ol>{removed}</ol></div></div>"
        f"<code>{escaped(pair.kept_id)}</code></details>"
    )


def _marked(turns: Sequence[SampleTurn], other: Sequence[SampleTurn]) -> str:
    """The turns as list items; runs of words that the other call does not have in that place are marked."""
    words = [word for turn in turns for word in _words(turn)]
    differs = _differing(words, [word for turn in other for word in _words(turn)])
    return "".join(_item(turn, differs) for turn in turns)


def _words(turn: SampleTurn) -> list[str]:
    return turn.text.split()


def _differing(words: list[str], others: list[str]) -> Iterator[bool]:
    """For each word whether it differs, in order."""
    matcher = difflib.SequenceMatcher(
        None, [word.casefold() for word in words], [word.casefold() for word in others], autojunk=False
    )
    for operation, start, end, _, _ in matcher.get_opcodes():
        if operation != "insert":
            yield from [operation != "equal"] * (end - start)


def _item(turn: SampleTurn, differs: Iterator[bool]) -> str:
    runs = groupby(_words(turn), key=lambda _: next(differs))
    said = ((is_marked, " ".join(map(with_tags_marked, words))) for is_marked, words in runs)
    pieces = [f"<ins>{words}</ins>" if is_marked else words for is_marked, words in said]
    speaker = escaped(SPEAKER_WORDS.get(turn.speaker, turn.speaker))
    return f'<li class="{escaped(turn.speaker)}"><b>{speaker}</b><p dir="auto">{" ".join(pieces)}</p></li>'
