"""Near-duplicates: every edit of a call is found, what only looks like one stays, and collisions decide nothing."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from tip_assets.quality.duplicates.compare import compare, compare_all
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.sketches import sketches
from tip_assets.quality.duplicates.thresholds import Thresholds
from tip_resources.domain.conversation import Conversation, Speaker, Turn
from tip_resources.domain.sketch import CallSketch

Edit = Callable[[list[str], random.Random], list[str]]


def with_texts(call: Conversation, texts: list[str], id: str = "copy") -> Conversation:
    """The call saying other texts, its speakers taking turns."""
    speakers: list[Speaker] = [turn.speaker for turn in call.turns]
    turns = tuple(Turn(speaker=speakers[n % len(speakers)], text=text) for n, text in enumerate(texts))
    return Conversation(id=id, turns=turns)


def edited_words(share: float) -> Edit:
    """Every word is replaced, dropped or doubled with this chance."""

    def edit(texts: list[str], rng: random.Random) -> list[str]:
        def changed(word: str) -> str:
            other = "".join(rng.choices("bdfkmpst", k=6))
            return rng.choice([other, "", f"{word} {other}"])

        return [" ".join(changed(w) if rng.random() < share else w for w in text.split()) for text in texts]

    return edit


def dropped(texts: list[str], rng: random.Random) -> list[str]:
    gone = set(rng.sample(range(len(texts)), len(texts) // 4))
    return [text for number, text in enumerate(texts) if number not in gone]


def reordered(texts: list[str], rng: random.Random) -> list[str]:
    return rng.sample(texts, len(texts))


def split(texts: list[str], rng: random.Random) -> list[str]:
    halves = []
    for text in texts:
        words = text.split()
        halves += [" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])]
    return halves


def reworded(texts: list[str], rng: random.Random) -> list[str]:
    other = {"bill": "invoice", "really": "truly", "okay": "alright", "it's": "it is", "i'm": "i am", "can": "could"}
    other |= {
        "help": "assist",
        "sure": "certainly",
        "look": "check",
        "call": "ring",
        "that's": "that is",
        "get": "obtain",
    }
    return [re.sub(r"[A-Za-z']+", lambda found: other.get(found.group().lower(), found.group()), t) for t in texts]


EDITS: dict[str, Edit] = {
    "10 % of words": edited_words(0.1),
    "20 % of words": edited_words(0.2),
    "dropped": dropped,
    "reordered": reordered,
    "split": split,
    "reworded": reworded,
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edited_call_is_a_near_duplicate_of_its_original(good_calls: list[Conversation], kind: str) -> None:
    index = DuplicateIndex()
    index.find_or_add_all(sketches(good_calls))
    rng = random.Random(kind)
    copies = [with_texts(call, EDITS[kind]([turn.text for turn in call.turns], rng)) for call in good_calls]
    found = [index.find(sketch) for sketch in sketches(copies)]
    assert [match and match.duplicate_of for match in found] == [call.id for call in good_calls]
    assert {match.method for match in found if match} <= {"near", "masked", "normalized"}


def test_hand_written_calls_are_no_duplicates_of_each_other(good_calls: list[Conversation]) -> None:
    assert DuplicateIndex().find_or_add_all(sketches(good_calls)) == [None] * len(good_calls)


def test_two_calls_spliced_are_a_duplicate_of_neither(good_calls: list[Conversation]) -> None:
    index = DuplicateIndex()
    index.find_or_add_all(sketches(good_calls))
    spliced = []
    for first, second in pairwise(good_calls):
        turns = (*first.turns[: len(first.turns) // 2], *second.turns[len(second.turns) // 2 :])
        spliced.append(Conversation(id="splice", turns=turns))
    assert [index.find(sketch) for sketch in sketches(spliced)] == [None] * len(spliced)


BOOKING = (
    "Thanks for calling Harbor Inn, this is {agent}, how can I help?",
    "Hi {agent}, my name is {name} and I have a room from {day} the {number} of {month}.",
    "Let me look that up, {name}. Yes, I see it under confirmation {code}.",
    "Could you move it to {other_day} instead? My brother {friend} only arrives then.",
    "Of course. The difference is {money} dollars, and I will send it to {friend} at {phone}.",
    "Great, and please put {friend} on the booking in {city} as well.",
)
FIRST = {
    "agent": "Denise", "name": "Angela", "day": "Monday", "number": "14th", "month": "March", "code": "A77 201",
    "other_day": "Friday", "friend": "Tom", "money": "forty", "phone": "555 0182", "city": "Boston",
}  # fmt: skip
SECOND = {
    "agent": "Ravi", "name": "Olga", "day": "Sunday", "number": "2nd", "month": "June", "code": "K13 894",
    "other_day": "Tuesday", "friend": "Miguel", "money": "ninety", "phone": "555 7741", "city": "Denver",
}  # fmt: skip


def booking(id: str, facts: dict[str, str]) -> Conversation:
    turns = (
        Turn(speaker="agent" if number % 2 == 0 else "customer", text=text.format(**facts))
        for number, text in enumerate(BOOKING)
    )
    return Conversation(id=id, turns=tuple(turns))


def test_calls_that_differ_only_in_names_and_numbers_are_masked_duplicates() -> None:
    first, second = sketches([booking("1", FIRST), booking("2", SECOND)])
    assert compare(second, first) == compare(first, second)
    likeness = compare(second, first, Thresholds(near=0.9))
    assert (likeness.method, likeness.similarity) == ("masked", 1.0)
    assert first.bands == second.bands


def test_facts_in_common_make_two_calls_more_alike_and_other_facts_less() -> None:
    def edited(call: Conversation) -> Conversation:
        return with_texts(call, edited_words(0.15)([turn.text for turn in call.turns], random.Random(5)))

    first, same, other = sketches([booking("1", FIRST), edited(booking("1", FIRST)), edited(booking("2", SECOND))])
    of_same, of_other = compare(same, first), compare(other, first)
    assert of_same.method == "near"
    assert of_other.method is None
    assert of_other.similarity < of_same.similarity


def test_a_name_at_the_start_of_a_sentence_is_masked_where_the_call_has_it_inside_one_too() -> None:
    texts = [text.format(**FIRST) for text in BOOKING]
    others = [text.format(**SECOND) for text in BOOKING]
    first = Conversation(id="1", turns=tuple(Turn(speaker="agent", text=t) for t in [*texts, "Angela said so."]))
    second = Conversation(id="2", turns=tuple(Turn(speaker="agent", text=t) for t in [*others, "Olga said so."]))
    one, two = sketches([first, second])
    assert compare(two, one, Thresholds(near=0.99)).similarity == 1.0


def test_shared_keys_alone_remove_no_call(good_calls: list[Conversation]) -> None:
    first, second = sketches(good_calls[:2])
    collided = msgspec.structs.replace(second, bands=first.bands)
    index = DuplicateIndex()
    assert index.find_or_add_all([first, collided]) == [None, None]
    ours = f"{first.normalized[:16]}{second.normalized[16:]}"
    assert index.find(msgspec.structs.replace(second, id="3", normalized=ours, body=b"", bands=b"")) is None


def test_a_short_call_is_only_compared_letter_by_letter() -> None:
    def short(id: str, end: str) -> Conversation:
        return Conversation(id=id, turns=(Turn(speaker="customer", text=f"Hello there, my bill is {end}"),))

    assert DuplicateIndex().find_or_add_all(sketches([short("1", "wrong"), short("2", "high")])) == [None, None]


def test_a_body_of_another_version_is_never_a_near_duplicate(good_calls: list[Conversation]) -> None:
    (sketch,) = sketches(good_calls[:1])
    other = msgspec.structs.replace(sketch, exact="0" * 32, normalized="1" * 32, body=b"\xff" + sketch.body[1:])
    assert compare(sketch, other).method is None


def test_near_misses_are_named_with_how_alike_they_are(good_calls: list[Conversation]) -> None:
    call, rng = good_calls[0], random.Random(1)
    copy = with_texts(call, edited_words(0.1)([turn.text for turn in call.turns], rng))
    index = DuplicateIndex(thresholds=Thresholds(near=0.99, masked=0.99))
    index.find_or_add_all(sketches(good_calls))
    (sketch,) = sketches([copy])
    assert index.find(sketch) is None
    [(id_, similarity)] = index.near_misses(sketch)
    assert id_ == call.id
    assert 0.7 < similarity < 0.99


def test_pairs_compared_together_are_as_alike_as_each_alone(good_calls: list[Conversation]) -> None:
    rng = random.Random(6)
    texts = [[turn.text for turn in call.turns] for call in good_calls]
    edited = [edited_words(0.02 * number)(said, rng) for number, said in enumerate(texts)]
    # Of so many words the sketch holds a sample, and none of the words of the last one are read.
    long = [" ".join(f"w{rng.randrange(3000)}" for _ in range(9000))]
    copies = [with_texts(call, said) for call, said in zip(good_calls, edited, strict=True)]
    originals = sketches([*good_calls, with_texts(good_calls[0], long), good_calls[0]])
    news = sketches([*copies, with_texts(good_calls[0], edited_words(0.05)(long, rng)), copies[0]])
    news[-1] = msgspec.structs.replace(news[-1], exact="0" * 32, normalized="1" * 32, body=b"\xff")
    pairs = [(new, earlier) for new in news for earlier in originals]
    likenesses = compare_all(pairs)
    assert likenesses == [compare(new, earlier) for new, earlier in pairs]
    assert {None, "near"} < {likeness.method for likeness in likenesses}
    assert likenesses[-1].similarity == 0.0


def test_who_decides_on_calls_left_open_sees_their_near_misses(good_calls: list[Conversation]) -> None:
    def asked(sketch: CallSketch, near_misses: list[tuple[str, float]]) -> DuplicateMatch | None:
        open_calls[sketch.id] = [id_ for id_, _ in near_misses]
        return DuplicateMatch(id=sketch.id, duplicate_of=near_misses[0][0], method="semantic", similarity=1.0)

    open_calls: dict[str, list[str]] = {}
    call, rng = good_calls[0], random.Random(1)
    texts = [turn.text for turn in call.turns]
    index = DuplicateIndex(thresholds=Thresholds(near=0.99, masked=0.99))
    index.find_or_add_all(sketches(good_calls))
    copies = sketches([with_texts(call, edited_words(0.1)(texts, rng), id=id_) for id_ in ("one", "other")])
    matches = index.find_or_add_all(copies, asked)
    assert [match and match.method for match in matches] == ["semantic", "semantic"]
    # The first copy is not kept, so it is no near miss of the second.
    assert open_calls == {"one": [call.id], "other": [call.id]}


class Delivered:
    """Calls that another set delivered, all of them candidates for any."""

    def __init__(self, calls: Sequence[CallSketch]) -> None:
        self._calls = calls

    def near(self, sketches: Sequence[CallSketch]) -> Mapping[str, Sequence[CallSketch]]:
        return {sketch.id: self._calls for sketch in sketches}


def test_what_was_delivered_survives_a_near_copy(good_calls: list[Conversation]) -> None:
    delivered = sketches(good_calls)
    copy = with_texts(good_calls[3], dropped([turn.text for turn in good_calls[3].turns], random.Random(2)))
    match = DuplicateIndex(Delivered(delivered)).find_or_add(sketches([copy])[0])
    assert match == DuplicateMatch(id="copy", duplicate_of=good_calls[3].id, method="near", similarity=1.0)


def test_an_index_on_disk_finds_the_same_as_one_in_memory(good_calls: list[Conversation], tmp_path: Path) -> None:
    rng = random.Random(4)
    calls = list(good_calls)
    for number in range(60):
        call = rng.choice(good_calls)
        edit = rng.choice(list(EDITS.values()))
        calls.append(with_texts(call, edit([turn.text for turn in call.turns], rng), id=f"copy {number}"))
    rng.shuffle(calls)
    made = sketches(calls)
    in_memory, on_disk, one_by_one = DuplicateIndex(), DuplicateIndex(folder=tmp_path), DuplicateIndex()
    found = in_memory.find_or_add_all(made)
    assert on_disk.find_or_add_all(made) == found
    assert [one_by_one.find_or_add(sketch) for sketch in made] == found
    assert any(found)
    assert {path.name for path in tmp_path.iterdir()} == {"calls.bin", "keys-0.bin"}
