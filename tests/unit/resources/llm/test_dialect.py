"""Promises of the dialect: a server that refuses an option is asked again without it, and only without it."""

import pytest

from tests.unit.resources.llm.helpers import SCHEMA, request
from tip_resources.llm.dialect import Dialect, is_refusal, with_schema_in_words
from tip_resources.llm.types import Message

FULL = Dialect()


def after(words: str, dialect: Dialect = FULL) -> Dialect | None:
    return dialect.after_refusal(words, dialect.body("m", request(seed=1)))


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "limit_field"),
        ("unknown field stream_options", "reports_usage"),
        ("'temperature' does not support 0.8 with this model", "takes_temperature"),
        ("seed is not supported", "takes_seed"),
        ("This response_format type is unavailable now", "structure"),
        ("bad request", "structure"),
    ],
)
def test_only_the_refused_option_is_dropped(words: str, changed: str) -> None:
    simpler = after(words)
    assert simpler is not None
    different = [name for name in Dialect.__struct_fields__ if getattr(simpler, name) != getattr(FULL, name)]
    assert different == [changed]


def test_llama_cpp_python_gets_its_json_object_with_a_schema() -> None:
    simpler = after("response_format.type: Input should be 'text' or 'json_object'")
    assert simpler is not None
    assert simpler.body("m", request())["response_format"] == {"type": "json_object", "schema": SCHEMA}


def test_a_500_that_is_a_refusal_is_told_from_one_that_is_not() -> None:
    words = "tiny answered HTTP 500: 1 validation error: {'loc': ('body', 'response_format', 'type')}"
    assert is_refusal(500, words)
    assert is_refusal(422, "anything")
    assert not is_refusal(500, "tiny answered HTTP 500: out of memory")
    assert not is_refusal(503, words)
    assert not is_refusal(None, words)


def test_refusals_come_to_an_end() -> None:
    dialect: Dialect | None = FULL
    steps = 0
    while dialect is not None:
        dialect = after("bad request", dialect)
        steps += 1
    assert steps <= 4


def test_the_schema_in_words_leaves_the_start_of_the_prompt_as_it_is() -> None:
    told = with_schema_in_words((Message("system", "You write calls."), Message("user", "Go.")), SCHEMA)
    assert told[0].content.startswith("You write calls.\n\n")
    assert '"calls"' in told[0].content
    assert told[1] == Message("user", "Go.")


def test_without_a_system_message_one_is_made_for_the_schema() -> None:
    told = with_schema_in_words((Message("user", "Go."),), SCHEMA)
    assert [message.role for message in told] == ["system", "user"]


def test_plain_text_asks_for_no_structure() -> None:
    assert "response_format" not in FULL.body("m", request(json_schema=None))
