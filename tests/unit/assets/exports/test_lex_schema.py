"""The schema takes what Lex takes and refuses every broken variant, naming the place."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tip_assets.exports.lex_schema import MAX_PROBLEMS, lex_problems, lex_validator
from tip_assets.exports.lex_shape import surely_fits

GOOD = {
    "Version": "1.1.0",
    "Participants": [
        {"ParticipantId": "a", "ParticipantRole": "AGENT"},
        {"ParticipantId": "c", "ParticipantRole": "CUSTOMER"},
    ],
    "ContentMetadata": {"RedactionTypes": ["PII"], "Output": "Raw"},
    "CustomerMetadata": {"ContactId": "77"},
    "Transcript": [
        {"ParticipantId": "a", "Id": "1", "Content": "Hello."},
        {"ParticipantId": "c", "Id": "2", "Content": "Hi."},
    ],
}


# With every field that the schema knows.
FULL: dict[str, Any] = copy.deepcopy(GOOD) | {"Channel": "VOICE", "LanguageCode": "en-US"}
FULL["ContentMetadata"] = {
    "RedactionTypes": ["PII"],
    "Output": "Redacted",
    "RedactionTypesMetadata": {"PII": {"RedactionEntitiesRequested": ["NAME"], "RedactionMaskMode": "PII"}},
}
FULL["Transcript"][0] |= {
    "BeginOffsetMillis": 0,
    "EndOffsetMillis": 9,
    "Redaction": {"RedactedTimestamps": [{"BeginOffsetMillis": 1, "EndOffsetMillis": 2}]},
}


def places(value, path: tuple = ()) -> Iterator[tuple]:
    """The paths to everything in a document."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


SCALARS = st.sampled_from(
    [
        ...,
        None,
        True,
        -1,
        0,
        1,
        1.0,
        1.5,
        "",
        " ",
        "a",
        "1",
        "PII",
        "VOICE",
        "AGENT",
        "Raw",
        "en-US",
        "en-US\n",
        "x" * 257,
    ]
)
ANYTHING = st.one_of(
    SCALARS,
    st.lists(SCALARS.filter(lambda value: value is not ...), max_size=2),
    st.sampled_from([{}, [{}], ["PII", "PII"], ["NAME", "NAME"], {"PII": {}}, {"PII": None}]),
)


def broken(path: tuple, value, whole: dict = GOOD) -> dict:
    """`whole` with the value at `path` replaced; `...` removes it."""
    document = copy.deepcopy(whole)
    place = document
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def test_the_required_subset_is_accepted():
    assert lex_problems(GOOD) == ()


def test_other_fields_of_contact_lens_are_accepted():
    full = copy.deepcopy(GOOD) | {"AccountId": "1", "Channel": "VOICE", "JobStatus": "COMPLETED", "Categories": {}}
    full["Transcript"][0] |= {"Sentiment": "NEUTRAL", "LoudnessScore": [70.1], "BeginOffsetMillis": 0}
    full["Transcript"][1] |= {"Redaction": {"RedactedTimestamps": [{"BeginOffsetMillis": 1, "EndOffsetMillis": 2}]}}
    assert lex_problems(full) == ()


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("Version",), ..., "Version"),
        (("Version",), "1.0.0", "Version"),
        (("Participants",), ..., "Participants"),
        (("Participants",), [], "Participants"),
        (("Participants", 0, "ParticipantId"), 1, "Participants[0].ParticipantId"),
        (("Participants", 0, "ParticipantRole"), "SYSTEM", "Participants[0].ParticipantRole"),
        (("Participants", 0, "ParticipantRole"), "agent", "Participants[0].ParticipantRole"),
        (("Participants", 1, "ParticipantId"), "a", "Participants"),
        (("ContentMetadata",), ..., "ContentMetadata"),
        (("ContentMetadata", "Output"), ..., "Output"),
        (("ContentMetadata", "Output"), "redacted", "ContentMetadata.Output"),
        (("ContentMetadata", "RedactionTypes"), None, "ContentMetadata.RedactionTypes"),
        (("ContentMetadata", "RedactionTypes"), [], "ContentMetadata.RedactionTypes"),
        (("ContentMetadata", "RedactionTypes"), ["NAME"], "ContentMetadata.RedactionTypes[0]"),
        (
            ("ContentMetadata", "RedactionTypesMetadata"),
            {"PII": {"RedactionEntitiesRequested": [], "RedactionMaskMode": "EntityType"}},
            "RedactionMaskMode",
        ),
        (("CustomerMetadata",), ..., "CustomerMetadata"),
        (("CustomerMetadata", "ContactId"), ..., "ContactId"),
        (("CustomerMetadata", "ContactId"), "", "CustomerMetadata.ContactId"),
        (("CustomerMetadata", "ContactId"), 77, "CustomerMetadata.ContactId"),
        (("Transcript",), ..., "Transcript"),
        (("Transcript",), [], "Transcript"),
        (("Transcript", 0, "Id"), ..., "Id"),
        (("Transcript", 0, "Id"), 1, "Transcript[0].Id"),
        (("Transcript", 1, "Id"), "1", "same Id"),
        (("Transcript", 1, "ParticipantId"), "x", "Transcript[1].ParticipantId"),
        (("Transcript", 1, "Content"), ..., "Content"),
        (("Transcript", 1, "Content"), " \n", "Transcript[1].Content"),
        (("Transcript", 1, "Content"), None, "Transcript[1].Content"),
        (("Transcript", 1, "BeginOffsetMillis"), -1, "BeginOffsetMillis"),
        (("Transcript", 1, "BeginOffsetMillis"), 1.5, "BeginOffsetMillis"),
        (("LanguageCode",), "english", "LanguageCode"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(path, value, place):
    problems = lex_problems(broken(path, value))
    assert problems
    assert place in " ".join(problems)


@pytest.mark.parametrize("document", [None, [], "text", 7])
def test_what_is_no_object_is_refused(document):
    assert lex_problems(document)


def test_whole_documents_need_no_walk_of_the_schema():
    assert surely_fits(GOOD)
    assert surely_fits(FULL)


@given(st.sampled_from(list(places(FULL))), ANYTHING)
def test_the_quick_check_accepts_nothing_that_the_schema_refuses(path, value):
    document = broken(path, value, FULL)
    if surely_fits(document):
        assert not list(lex_validator().iter_errors(document))


def test_messages_never_quote_the_transcript():
    document = broken(("Transcript", 1, "Content"), {"secret": "Anna Schmidt"})
    assert "Anna" not in " ".join(lex_problems(document))


def test_the_list_of_problems_stays_short():
    document = broken(("Transcript",), [{} for _ in range(500)])
    assert len(lex_problems(document)) == MAX_PROBLEMS
