"""The rubric of judges, read from judge_rubric.yaml: criteria, anchors, version. What is asked is in judging.py."""

import hashlib
from functools import cache
from importlib.resources import files

import msgspec

from tip_resources.domain.codec import from_builtins

SIDES = ("realism", "coherence", "naturalness")
"""The criteria that the overall grade is worked out from; the others are named metrics."""
BEST = 5.0
_LEVELS = frozenset(range(6))
_HASH_DIGITS = 8


class Anchored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question and what each level from 0 to 5 looks like."""

    about: str
    anchors: dict[int, str]

    def __post_init__(self) -> None:
        if set(self.anchors) != _LEVELS:
            raise ValueError("anchors are needed for 0, 1, 2, 3, 4 and 5")


class Criterion(Anchored, frozen=True, forbid_unknown_fields=True):
    """One criterion; `domains` has other words for some domains."""

    domains: dict[str, Anchored] = {}

    def in_domain(self, domain: str) -> Anchored:
        """The criterion as it is asked of a call of that domain."""
        return self.domains.get(domain, self)


class JudgeRubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a judge is told about grading."""

    version: str
    instructions: str
    criteria: dict[str, Criterion]
    overall: Anchored


@cache
def judge_rubric() -> JudgeRubric:
    """The rubric that ships with tip."""
    import yaml

    return from_builtins(yaml.safe_load(_content()), JudgeRubric, where="judge_rubric.yaml")


@cache
def judge_rubric_version() -> str:
    """Name and content hash, `judge-2+1a2b3c4d`: grades with different ones cannot be compared."""
    return f"{judge_rubric().version}+{content_hash(_content())}"


def content_hash(content: bytes) -> str:
    """The first 8 hex digits of SHA-256, line ends read as LF so that a checkout on Windows has the same."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()[:_HASH_DIGITS]


@cache
def _content() -> bytes:
    return (files("tip_assets.quality") / "judge_rubric.yaml").read_bytes()
