"""Calls with rare words in common find each other; calls with the words of everybody do not."""

import numpy as np

from tip_assets.quality.duplicates.rare_words import RareWordNeighbours
from tip_resources.domain.conversation import Conversation, Turn

_EVERYBODY = "Hello there. Please confirm your account number. Thanks for calling, goodbye."
_OTHERS = (
    "roof tiles slipped after a storm, neighbours saw it",
    "trombone lessons moved from Tuesday to never",
    "invoice shows coffee machines nobody ordered",
    "router blinks orange since an electrician left",
    "my aunt lost glasses inside your museum",
    "cannot open yoghurt lids without scissors",
)


def call_of(id_: str, *said: str) -> Conversation:
    return Conversation(id=id_, turns=tuple(Turn(speaker="customer", text=text) for text in said))


def finder_of(*calls: Conversation) -> RareWordNeighbours:
    finder = RareWordNeighbours()
    finder.add(calls[:1])
    finder.add(calls[1:])
    return finder


CALLS = (
    call_of("first", _EVERYBODY, "Okonkwo here, my zither 48113 arrived with a cracked bridge"),
    *(call_of(str(n), _EVERYBODY, said) for n, said in enumerate(_OTHERS)),
    call_of("reworded", "The bridge of zither 48113 came cracked", "Okonkwo speaking", _EVERYBODY),
)
LAST = len(CALLS) - 1


def test_a_call_in_other_phrases_is_found_by_its_rare_words():
    found = {(one, other): share for one, other, share in finder_of(*CALLS).pairs(np.ones(len(CALLS), dtype=bool))}
    assert set(found) == {(LAST, 0)}
    assert 0.33 <= found[LAST, 0] <= 1.0


def test_calls_that_do_not_count_are_nobodys_neighbours():
    counted = np.ones(len(CALLS), dtype=bool)
    counted[0] = False
    assert list(finder_of(*CALLS).pairs(counted)) == []


def test_sets_of_nothing_of_one_call_and_of_calls_without_words_have_no_pairs():
    assert list(RareWordNeighbours().pairs(np.zeros(0, dtype=bool))) == []
    assert list(finder_of(CALLS[0]).pairs(np.ones(1, dtype=bool))) == []
    empty = finder_of(call_of("a"), call_of("b", "\ud800 ..."), call_of("c", ""))
    assert list(empty.pairs(np.ones(3, dtype=bool))) == []


def test_a_set_of_two_that_say_the_same_is_a_pair():
    ((one, other, share),) = set(finder_of(CALLS[0], CALLS[0]).pairs(np.ones(2, dtype=bool)))
    assert (one, other, round(share, 3)) == (1, 0, 1.0)
