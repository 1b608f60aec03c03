"""Parses one JSON value as models write it: forgives what loses no meaning, and nothing else."""

import json
import math
import re
from typing import Any, NoReturn

_SURROGATE = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
_STRING_OR_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])', re.DOTALL)


def parse_value(text: str) -> Any:
    """The value of `text`; raw line breaks in strings and trailing commas are forgiven.

    Raises:
        ValueError: Not JSON, nested too deep, or with a number that JSON or a float does not have.
    """
    try:
        value = _decoded(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return _without_lone_surrogates(value) if _SURROGATE.search(text) else value


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except ValueError:
        return _DECODER.decode(_STRING_OR_TRAILING_COMMA.sub(lambda match: match.group(1) or "", text))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(number: str) -> float:
    """1e999 would become infinite, which nothing can write down again."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:40]} is too large for a number")
    return value


# strict=False lets control characters stand in strings: local models break lines there.
_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse_constant, parse_float=_finite)


def _without_lone_surrogates(value: Any) -> Any:
    """Joins the halves of a character that came in two chunks; a half alone becomes U+FFFD, for it has no UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(entry) for entry in value]
    if isinstance(value, dict):
        return {_without_lone_surrogates(key): _without_lone_surrogates(entry) for key, entry in value.items()}
    return value
