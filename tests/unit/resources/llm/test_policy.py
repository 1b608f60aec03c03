"""Promises of the policy: every kind of failure has a rule, waits are 1-2-4-8 s and what servers ask is heard."""

from datetime import UTC, datetime
from random import Random
from typing import get_args

import pytest

from tip_resources.llm.policy import RULES, backoff_seconds, retry_after_seconds, rule_for
from tip_resources.llm.types import Failure, FailureKind
from tip_resources.settings.models import EngineSettings

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def test_every_kind_of_failure_has_a_rule() -> None:
    assert set(RULES) == set(get_args(FailureKind))


def test_overload_delays_and_never_counts() -> None:
    rule = RULES["overloaded"]
    assert (rule.retry, rule.counts, rule.effect) == ("here", False, "pause")


def test_a_truncated_answer_is_not_asked_again_as_a_whole() -> None:
    assert RULES["truncated"].retry == "no"


def test_an_endpoint_that_only_a_person_can_mend_is_left_alone() -> None:
    rule = rule_for(Failure(kind="model_missing", detail="", is_permanent=True))
    assert (rule.retry, rule.effect) == ("elsewhere", "out")


def test_a_request_that_breaks_the_server_is_not_sent_for_ever() -> None:
    assert not rule_for(Failure(kind="connect", detail="")).counts
    assert rule_for(Failure(kind="connect", detail="", was_sent=True)).counts


@pytest.mark.parametrize(("failures", "base"), [(1, 1), (2, 2), (3, 4), (4, 8), (9, 8)])
def test_waits_double_up_to_eight_seconds_with_jitter(failures: int, base: float) -> None:
    waits = [backoff_seconds(EngineSettings(), failures, Random(seed)) for seed in range(50)]
    assert all(0.75 * base <= wait <= 1.25 * base for wait in waits)
    assert len(set(waits)) > 1


def test_first_and_longest_wait_are_settings() -> None:
    engine = EngineSettings(backoff_first_seconds=3, backoff_longest_seconds=5)
    for failures, base in ((1, 3), (2, 5), (10_000, 5)):
        assert 0.75 * base <= backoff_seconds(engine, failures, Random(1)) <= 1.25 * base


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 0.5 ", 0.5),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("-3", 0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds
