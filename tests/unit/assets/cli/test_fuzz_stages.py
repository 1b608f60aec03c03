"""Any lines at all through the stages: every line is a call or is named, and only tip's own exit codes come out."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fuzzing import few, many
from tip_assets.cli.main import main

STAGES = ("dedupe", "grade", "scrub")
EXPORTS = ("lex", "csv", "jsonl")
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *("It's 212-555-0143.", "This is Tasha.", "um, okay", "a@b.example", "[NAME]", "=cmd()", "\x00\x07\x1b[2J"),
            *("\u202e evil", "\ufeff", "\u2028", "\U0001f600" * 3, "A" * 3000, "4111 1111 1111 1111", "</script>"),
        ]
    ),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.sampled_from([2**63 - 1, -(2**63), 2**64, 10**400])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
TURNS = st.lists(
    st.fixed_dictionaries(
        {"speaker": st.sampled_from(["agent", "customer", "system"]), "text": TEXTS},
        optional={"start_ms": st.one_of(SCALARS, st.integers(0, 10**6)), "end_ms": SCALARS, "mood": ANYTHING},
    ),
    max_size=6,
)
GRADES = st.fixed_dictionaries(
    dict.fromkeys(("realism", "coherence", "naturalness", "overall"), st.one_of(st.floats(0, 5), SCALARS))
)
FACTS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["NAME", "PHONE", "ACCOUNT", "", "x y"]), "value": TEXTS},
        optional={"spoken": st.one_of(st.lists(TEXTS, max_size=2), ANYTHING)},
    ),
    max_size=3,
)
SPANS = st.lists(
    st.fixed_dictionaries(
        {
            "turn": st.integers(-2, 8),
            "start": st.integers(-2, 60),
            "end": st.integers(-2, 60),
            "type": st.sampled_from(["NAME", "PHONE", ""]),
            "source": st.sampled_from(["pattern", "fact", "elsewhere"]),
        },
        optional={"entity": SCALARS},
    ),
    max_size=3,
)
ANNOTATIONS = st.fixed_dictionaries(
    {},
    optional={
        "grade": st.one_of(GRADES, ANYTHING),
        "spans": st.one_of(SPANS, ANYTHING),
        "extra": st.one_of(st.fixed_dictionaries({"personal_facts": st.one_of(FACTS, ANYTHING)}), ANYTHING),
    },
)
CALLS = st.fixed_dictionaries(
    {"id": st.one_of(TEXTS, st.sampled_from(["1", "2"])), "turns": TURNS},
    optional={
        "dataset": TEXTS,
        "domain": TEXTS,
        "language": st.sampled_from(["en", "de", "", "xx-YY", "\x00"]),
        "index": SCALARS,
        "persona_ids": st.one_of(st.lists(TEXTS, max_size=2), ANYTHING),
        "provenance": ANYTHING,
        "annotations": st.one_of(ANNOTATIONS, ANYTHING),
        "from elsewhere": ANYTHING,
    },
)


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def cut(line: bytes, at: int) -> bytes:
    return line[: at % (len(line) + 1)]


LINES = st.lists(
    st.one_of(
        CALLS.map(written),
        CALLS.map(json.dumps).map(str.encode),
        st.builds(cut, CALLS.map(written), st.integers(0)),
        ANYTHING.map(written),
        st.binary(max_size=30),
        st.sampled_from([b"[" * 10_000, b'{"a":' * 10_000, b"", b" \t"]),
        st.sampled_from([b'{"id": "\xe9"}', b'{"id":"1","id":"2","turns":[]}']),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip
ENDS = st.sampled_from([b"\n", b"\r\n"])


def ran(data: bytes, *arguments: str) -> tuple[Result, dict[str, Any] | None, Path]:
    """The stage on a file of these bytes, and its summary where it came to one."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "in.jsonl", Path(folder) / "out"
        source.write_bytes(data)
        places = {"IN": str(source), "OUT": str(output)}
        words = [places.get(word, word) for word in arguments]
        result = CliRunner().invoke(main, [*words, "--json"], env={"TIP_HOME": folder})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert result.exit_code in (0, 1, 3), result.output
        assert "Traceback" not in result.output
        assert result.stderr or result.exit_code != 1
        left = [path.name for path in Path(folder).iterdir() if path.name.endswith(".tmp")]
        assert left == []
        if result.exit_code == 1:
            assert not output.exists()
            return result, None, output
        return result, json.loads(result.stdout, parse_constant=pytest.fail), output


def lines_in(data: bytes) -> int:
    return sum(bool(line.strip()) for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"))


def goes_through_the_stages(lines: list[bytes], end: bytes, stages: tuple[str, ...]) -> None:
    data = end.join(lines)
    for stage in stages:
        _, summary, _ = ran(data, stage, "IN", "OUT")
        if summary is not None:
            kept = summary.get("kept", summary.get("graded", summary.get("scrubbed")))
            assert kept + summary.get("removed", 0) + summary["rejects"] == lines_in(data)


def goes_through_an_export(lines: list[bytes], end: bytes, kind: str, style: tuple[str, ...]) -> None:
    data = end.join(lines)
    _, summary, _ = ran(data, "export", "IN", "OUT", "--format", kind, *style)
    if summary is not None:
        assert summary["lines"] == lines_in(data)


STYLES = st.sampled_from([(), ("--raw",), ("--style", "pii"), ("--style", "surrogate"), ("--style", "hash")])


@few(5)
@given(LINES, ENDS)
def test_any_lines_go_through_the_stages(lines: list[bytes], end: bytes) -> None:
    goes_through_the_stages(lines, end, STAGES)


@few(6)
@given(LINES, ENDS, st.sampled_from(EXPORTS), STYLES)
def test_any_lines_go_through_an_export(lines: list[bytes], end: bytes, kind: str, style: tuple[str, ...]) -> None:
    goes_through_an_export(lines, end, kind, style)


@many(200)
@given(LINES, ENDS)
def test_any_lines_go_through_the_stages_many_times(lines: list[bytes], end: bytes) -> None:
    goes_through_the_stages(lines, end, STAGES)


@many(400)
@given(LINES, ENDS, st.sampled_from(EXPORTS), STYLES)
def test_any_lines_go_through_an_export_many_times(
    lines: list[bytes], end: bytes, kind: str, style: tuple[str, ...]
) -> None:
    goes_through_an_export(lines, end, kind, style)


@many(8)
@given(LINES, ENDS)
def test_any_lines_are_analysed_or_refused(lines: list[bytes], end: bytes) -> None:
    ran(end.join(lines), "analyze", "IN", "--output", "OUT")
