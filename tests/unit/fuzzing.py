"""How much is fuzzed: the same few examples in every quick run, many new ones under the slow marker."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

Test = TypeVar("Test", bound=Callable[..., object])

_UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def few(examples: int) -> Callable[[Test], Test]:
    """The same examples each time, on any machine."""
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=_UNHURRIED
    )


def many(examples: int) -> Callable[[Test], Test]:
    """New examples each time; a failure prints the smallest one that shows it."""

    def decorate(test: Test) -> Test:
        bounded = settings(max_examples=examples, database=None, deadline=None, suppress_health_check=_UNHURRIED)
        return pytest.mark.slow(bounded(test))

    return decorate
