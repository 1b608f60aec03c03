"""Cutting calls into pieces whose meanings are compared, and what they name."""

from tests.unit.assets.quality.conftest import call_of
from tip_assets.quality.duplicates.spoken_pieces import MOST_PIECES, named_in, pieces_of
from tip_resources.domain.conversation import Conversation, Turn


def test_how_a_call_is_cut_into_turns_makes_no_difference():
    whole = Conversation(id="1", turns=(Turn(speaker="agent", text="Your bill is due on Monday."),))
    turns = tuple(Turn(speaker="agent", text=text) for text in ("Your bill", "...", "is due on Monday."))
    (one,), (other,) = pieces_of(whole), pieces_of(Conversation(id="2", turns=turns))
    assert one.weight == other.weight


def test_courtesies_weigh_less_than_what_the_call_is_about():
    nod, content = pieces_of(call_of("Okay, sure, that is fine.", "Router lights blink red."))
    assert nod.weight < content.weight


def test_turns_without_words_are_no_pieces():
    assert pieces_of(call_of("...", "", "\U0001f600")) == []


def test_a_long_turn_becomes_several_pieces_and_an_endless_one_stops():
    assert len(pieces_of(call_of("word " * 200))) == 3
    assert len(pieces_of(call_of("word " * 100_000))) == MOST_PIECES + 1


def test_names_figures_and_dates_are_facts_of_who_says_them():
    named = named_in(
        call_of("So, Maria owes $45.10? That is due in June.", "I\u2019ve paid fifty on Elm Street.").turns
    )
    assert named.facts["agent"] == {"maria", "45", "10", "june"}
    assert named.facts["customer"] == {"fifty", "elm", "street"}
    assert "owes" in named.words
