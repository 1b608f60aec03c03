"""Presidio beside our own detectors, with the traps of its model-free engine avoided."""

import importlib.util
import sys
from collections.abc import Callable

import pytest

from tip_assets.quality.pii.presidio import PresidioFinder, presidio_finder
from tip_assets.quality.scrubbing import redact, with_spans
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput

MakeCall = Callable[..., Conversation]
needs_presidio = pytest.mark.skipif(
    importlib.util.find_spec("presidio_analyzer") is None,
    reason="the extra presidio is not installed",
)


@pytest.fixture
def find() -> Callable[[Conversation], tuple]:
    return presidio_finder()


@needs_presidio
@pytest.mark.slow
def test_its_types_are_ours(find, make_call: MakeCall):
    [iban] = find(make_call("the iban is GB82 WEST 1234 5698 7654 32"))
    assert iban.type == "INTERNATIONAL_BANK_ACCOUNT_NUMBER"
    assert "MEDICARE_ID" in {span.type for span in find(make_call("my medicare number is 1EG4-TE5-MK73"))}


@needs_presidio
@pytest.mark.slow
def test_a_telephone_number_is_no_british_health_number(find, make_call: MakeCall):
    spans = find(make_call("my number is 415-555-2671"))
    assert [span.type for span in spans] == ["PHONE"]
    assert all(span.source == "presidio" for span in spans)


@needs_presidio
@pytest.mark.slow
def test_context_words_of_this_turn_and_the_one_before_count(find, make_call: MakeCall):
    assert find(make_call("the code is 536904399")) == ()
    assert "SSN" in {span.type for span in find(make_call("your social security number?", "536904399"))}


@needs_presidio
@pytest.mark.slow
def test_times_and_dates_are_left_alone(find, make_call: MakeCall):
    assert find(make_call("on 03/12/2024 at 11:30, or 12.5 percent")) == ()


@needs_presidio
@pytest.mark.slow
def test_what_it_adds_is_replaced_and_never_in_place_of_what_we_found(find, make_call: MakeCall):
    call = make_call("Hi, my name is Maria Santos.", "send it to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq please")
    alone, both = with_spans(call), with_spans(call, (), find)
    own = [(span.turn, span.start, span.end, span.type) for span in alone.annotations.spans or ()]
    with_more = [(span.turn, span.start, span.end, span.type) for span in both.annotations.spans or ()]
    assert set(own) <= set(with_more)
    assert "bc1q" not in redact(both).turns[1].text


@needs_presidio
@pytest.mark.slow
def test_nothing_asks_the_network(make_call: MakeCall, monkeypatch: pytest.MonkeyPatch):
    import socket

    def refuse(*_args: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    spans = PresidioFinder().find(make_call("write to maria@somewhere.co.uk"))
    assert [span.type for span in spans if span.type == "EMAIL"] == ["EMAIL"]


def test_without_the_library_the_setting_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(BadInput, match="presidio"):
        PresidioFinder()
