"""A sample of calls, cut once into what all set metrics read. A call that cannot be measured is counted by reason."""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from tip_assets.quality.features.language import mattr
from tip_assets.quality.features.style_figures import style_figures
from tip_assets.quality.metrics.lexical import hdd, mtld
from tip_assets.quality.metrics.sampling import MOST_CHARACTERS, Sampled
from tip_assets.quality.metrics.style import spread_of
from tip_assets.quality.words import words_of

# Thai, Lao, Burmese, Khmer, Japanese and Chinese write words without spaces, so that words cannot be counted.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_LETTER = re.compile(r"[^\W\d_]")
_MOST_UNSPACED = 0.5

NO_WORDS = "without any words"
TOO_LONG = f"longer than {MOST_CHARACTERS:,} characters"
UNSPACED = "in a script that writes words without spaces"
ONE_SPEAKER = "in which only one speaker talks"


class MeasuredSet(msgspec.Struct, frozen=True, kw_only=True):
    """`texts` and `words` are of the same calls in the order of the sample, `style` and `lexical` per-call figures.

    Words are numbers, the same for the same word: 4 bytes each instead of some 60.
    `left_out` counts calls that could not be measured, `notes` those that were and are odd, both by reason.
    """

    name: str
    size: str
    texts: tuple[str, ...]
    words: tuple[array, ...]
    style: dict[str, list[float]]
    lexical: dict[str, list[float]]
    left_out: dict[str, int]
    notes: dict[str, int]


def measured_set(
    name: str, sample: Sampled, on_call: Callable[[], object] = lambda: None, *, lexical: bool = True
) -> MeasuredSet:
    """Measures every call of the sample.

    Args:
        name: What the set is called in the details of the metrics.
        sample: The calls.
        on_call: Called after each call, for a progress bar.
        lexical: Measure MATTR, MTLD and HD-D as well.
    """
    texts: list[str] = []
    words: list[array] = []
    numbers: dict[str, int] = {}
    styles: list[dict[str, float]] = []
    varieties: list[dict[str, float]] = []
    left_out, notes = Counter[str](), Counter[str]()
    for call in sample.items:
        text = " ".join(turn.text for turn in call.turns)
        said = () if len(text) > MOST_CHARACTERS else words_of(text)
        if reason := _unmeasurable(text, said):
            left_out[reason] += 1
        else:
            texts.append(text)
            words.append(array("I", (numbers.setdefault(word, len(numbers)) for word in said)))
            styles.append(style_figures(call))
            if lexical:
                varieties.append(word_variety(said))
            if len({turn.speaker for turn in call.turns if turn.text.strip()}) == 1:
                notes[ONE_SPEAKER] += 1
        on_call()
    return MeasuredSet(
        name=name,
        size=sample.in_words(),
        texts=tuple(texts),
        words=tuple(words),
        style=spread_of(styles),
        lexical=spread_of(varieties),
        left_out=dict(left_out),
        notes=dict(notes),
    )


def word_variety(words: Sequence[str]) -> dict[str, float]:
    """The length-robust measures that the call is long enough for."""
    found = {"mattr": mattr(list(words)), "mtld": mtld(words), "hdd": hdd(words)}
    return {name: value for name, value in found.items() if value is not None}


def _unmeasurable(text: str, words: Sequence[str]) -> str:
    if len(text) > MOST_CHARACTERS:
        return TOO_LONG
    if not words:
        return NO_WORDS
    letters = len(_LETTER.findall(text))
    return UNSPACED if letters and len(_UNSPACED.findall(text)) > _MOST_UNSPACED * letters else ""
