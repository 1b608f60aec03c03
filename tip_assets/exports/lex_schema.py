"""What makes a Lex transcript file acceptable: the JSON Schema beside this module, and what it cannot say.

The schema is compiled once per process. Messages name the place and never quote the transcript.
"""

import functools
import importlib.resources
from collections.abc import Iterable
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tip_assets.exports.lex_shape import surely_fits

MAX_PROBLEMS = 10


@functools.cache
def lex_validator() -> Draft202012Validator:
    """The compiled schema of one transcript file."""
    text = importlib.resources.files("tip_assets.exports").joinpath("lex_schema.json").read_bytes()
    schema = msgspec.json.decode(text)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def lex_problems(document: Any) -> tuple[str, ...]:
    """What is wrong with a decoded transcript file, at most `MAX_PROBLEMS`; empty when Lex would take it."""
    if surely_fits(document):
        return _reference_problems(document)
    problems = []
    for error in lex_validator().iter_errors(document):
        problems.append(_sentence(error))
        if len(problems) == MAX_PROBLEMS:
            break
    return tuple(problems) or _reference_problems(document)


def _sentence(error: ValidationError) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    rule = f"{error.validator} {error.validator_value}" if error.validator != "required" else _missing(error)
    return f"{place or 'document'}: breaks {rule}"


def _missing(error: ValidationError) -> str:
    present = error.instance if isinstance(error.instance, dict) else {}
    wanted: Iterable[str] = error.validator_value  # pyright: ignore[reportAssignmentType]  the schema says a list
    return f"required {[name for name in wanted if name not in present]}"


def _reference_problems(document: dict[str, Any]) -> tuple[str, ...]:
    participants = [participant["ParticipantId"] for participant in document["Participants"]]
    turns = document["Transcript"]
    declared, problems = set(participants), []
    if len(declared) < len(participants):
        problems.append("Participants: two have the same ParticipantId")
    if len({turn["Id"] for turn in turns}) < len(turns):
        problems.append("Transcript: two turns have the same Id")
    for number, turn in enumerate(turns):
        if turn["ParticipantId"] not in declared:
            problems.append(f"Transcript[{number}].ParticipantId: not among Participants")
            break
    return tuple(problems)
