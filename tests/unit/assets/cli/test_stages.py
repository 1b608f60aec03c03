"""The quality stages on plain files, as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tip_assets.cli.dedupe import dedupe
from tip_assets.cli.grade import grade
from tip_assets.cli.scrub import scrub
from tip_assets.quality.judge_rubric import judge_rubric_version
from tip_resources.rehearsal.process import rehearsal_process

Line = dict[str, Any]


def line(id: str, *texts: str, **more: Any) -> Line:
    return {
        "id": id,
        "turns": [{"speaker": ("agent", "customer")[n % 2], "text": text} for n, text in enumerate(texts)],
        **more,
    }


def write(path: Path, *lines: Line | str) -> Path:
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines), encoding="utf-8")
    return path


def read(path: Path) -> list[Line]:
    return [json.loads(one) for one in path.read_text(encoding="utf-8").splitlines()]


def run(command, *arguments: str | Path, **environ: str) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], env=environ)


HELLO = ("Hi, this is Tasha. What's your phone number?", "It's 212-555-0143.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    spaced = tmp_path / "a folder with spaces"
    spaced.mkdir()
    return spaced


def test_dedupe_keeps_first_calls_and_reports_the_rest(folder: Path):
    calls = write(
        folder / "in.jsonl",
        line("1", *HELLO),
        line("2", "other"),
        line("3", *HELLO),
        line("4", *[t.upper() for t in HELLO]),
    )
    result = run(dedupe, calls, folder / "out.jsonl", "--report", folder / "r.json")
    assert result.exit_code == 0, result.output
    assert [call["id"] for call in read(folder / "out.jsonl")] == ["1", "2"]
    report = json.loads((folder / "r.json").read_text())
    assert set(report) == {"kept", "removed", "seconds"}
    assert (report["kept"], report["seconds"] >= 0) == (2, True)
    assert report["removed"] == [
        {"id": "3", "duplicate_of": "1", "method": "exact", "similarity": 1.0},
        {"id": "4", "duplicate_of": "1", "method": "normalized", "similarity": 1.0},
    ]


LONG = tuple(
    f"the {first} asked about {second} before the {third} was mended near {second} street"
    for first, second, third in zip(
        ("roofer", "painter", "florist", "baker", "tailor", "plumber"),
        ("granite", "velvet", "juniper", "copper", "marble", "cedar"),
        ("window", "kettle", "engine", "mirror", "ladder", "fountain"),
        strict=True,
    )
)
EDITED = tuple(
    text.replace("mended", f"painted {place}").replace("asked", f"wondered {place}")
    for text, place in zip(LONG, ("uphill", "downhill", "indoors", "outside", "upstairs", "nearby"), strict=True)
)


def graded(score: float) -> Line:
    sides = dict.fromkeys(("realism", "coherence", "naturalness", "overall"), score)
    return {"grade": {**sides, "metrics": {}}}


def test_dedupe_finds_edited_copies_and_says_how_alike_they_are(folder: Path):
    calls = write(folder / "in.jsonl", line("1", *LONG), line("2", *EDITED), line("3", *HELLO))
    result = run(dedupe, calls, folder / "out.jsonl", "--report", folder / "r.json", "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["removed_by_method"], summary["methods"]) == ({"near": 1}, ["exact", "near"])
    [removed] = json.loads((folder / "r.json").read_text())["removed"]
    assert (removed["id"], removed["duplicate_of"], removed["method"]) == ("2", "1", "near")
    assert 0.5 < removed["similarity"] < 1


@pytest.mark.parametrize(
    "options", [("--methods", "exact"), ("--threshold", "1.0")], ids=["without the method", "a stricter threshold"]
)
def test_dedupe_leaves_edited_copies_where_they_are_not_asked_for(options: tuple[str, ...], folder: Path):
    calls = write(folder / "in.jsonl", line("1", *LONG), line("2", *EDITED), line("3", *LONG))
    run(dedupe, calls, folder / "out.jsonl", *options)
    assert [call["id"] for call in read(folder / "out.jsonl")] == ["1", "2"]


@pytest.mark.parametrize(("keep", "kept"), [("best", "2"), ("first", "1")])
def test_dedupe_keeps_the_better_grade_or_the_first(keep: str, kept: str, folder: Path):
    calls = write(
        folder / "in.jsonl",
        line("1", *LONG, annotations=graded(3.0)),
        line("2", *EDITED, annotations=graded(4.0)),
        line("3", *LONG),
    )
    run(dedupe, calls, folder / "out.jsonl", "--keep", keep)
    assert [call["id"] for call in read(folder / "out.jsonl")] == [kept]


@pytest.mark.parametrize("keep", ["best", "first"])
def test_dedupe_against_other_files_names_the_file_of_the_earlier_call(keep: str, folder: Path):
    others = [
        write(folder / f"{name}.jsonl", call) for name, call in (("a", line("x", *HELLO)), ("b", line("y", *LONG)))
    ]
    calls = write(folder / "in.jsonl", line("1", *EDITED), line("2", *HELLO))
    against = [word for other in others for word in ("--against", other)]
    result = run(dedupe, calls, folder / "out.jsonl", "--report", folder / "r.json", "--keep", keep, *against)
    assert result.exit_code == 0, result.output
    assert "every call repeats one that was delivered before" in result.output
    assert read(folder / "out.jsonl") == []
    removed = json.loads((folder / "r.json").read_text())["removed"]
    assert [(row["id"], row["duplicate_of"], row["dataset_of"], row["method"]) for row in removed] == [
        ("1", "y", "b.jsonl", "near"),
        ("2", "x", "a.jsonl", "exact"),
    ]


def test_dedupe_by_meaning_says_what_it_did(folder: Path):
    by_words = {"TIP_QUALITY__SEMANTIC_VECTORS": "words", "TIP_QUALITY__SEMANTIC": "off"}
    calls = write(folder / "in.jsonl", line("1", *LONG), line("2", *EDITED), line("3", *HELLO))
    options = ("--methods", "semantic", "--threshold", "0.99")
    result = run(dedupe, calls, folder / "out.jsonl", *options, "--json", **by_words)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["methods"], summary["kept"]) == (["exact", "near", "semantic"], 2)
    assert summary["meaning"] == "1 pairs of calls compared, 1 say the same; by words"
    assert summary["meaning"] in run(dedupe, calls, folder / "out.jsonl", *options, **by_words).stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--methods", "exact,fuzzy"), "there is no method fuzzy; there are exact, near, semantic"),
        (("--methods", ","), "name at least one"),
        (("--threshold", "1.5"), "1.5"),
        (("--against", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_dedupe_says_what_is_wrong_with_its_options(options: tuple[str, ...], said: str, folder: Path):
    calls = write(folder / "in.jsonl", line("1", *HELLO))
    result = run(dedupe, calls, folder / "out.jsonl", *options)
    assert result.exit_code in (1, 2)
    assert said in result.stderr
    assert not (folder / "out.jsonl").exists()


@pytest.mark.skipif(os.name == "nt", reason="named pipes of Windows are no files")
def test_dedupe_of_a_pipe_reads_it_once_or_says_how_to(folder: Path):
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    result = run(dedupe, pipe, folder / "out.jsonl")
    assert result.exit_code == 1
    assert "--keep first" in result.stderr
    lines = "".join(f"{json.dumps(one)}\n" for one in (line("1", *HELLO), line("2", *HELLO)))
    writing = threading.Thread(target=pipe.write_text, args=(lines,))
    writing.start()
    assert run(dedupe, pipe, folder / "out.jsonl", "--keep", "first").exit_code == 0
    writing.join()
    assert [call["id"] for call in read(folder / "out.jsonl")] == ["1"]


def test_dedupe_writes_what_it_read(folder: Path):
    calls = write(folder / "in.jsonl", line("1", *HELLO, domain="retail", source_file="a.wav"))
    run(dedupe, calls, folder / "out.jsonl")
    [call] = read(folder / "out.jsonl")
    assert (call["domain"], call["annotations"]["extra"]) == ("retail", {"source_file": "a.wav"})
    assert [turn["text"] for turn in call["turns"]] == list(HELLO)


def test_scrub_replaces_and_reports_offsets_into_the_input(folder: Path):
    calls = write(folder / "in.jsonl", line("1", *HELLO, note="Tasha wrote this"))
    result = run(scrub, calls, folder / "out.jsonl", "--report", folder / "r.json")
    assert result.exit_code == 0, result.output
    [call] = read(folder / "out.jsonl")
    assert [turn["text"] for turn in call["turns"]] == [
        "Hi, this is [NAME]. What's your phone number?",
        "It's [PHONE].",
    ]
    assert call["annotations"]["extra"] == {"note": "[NAME] wrote this"}
    report = json.loads((folder / "r.json").read_text())
    assert set(report) == {"spans", "seconds"}
    assert report["spans"] == [
        {"id": "1", "turn": 0, "start": 12, "end": 17, "type": "NAME", "source": "pattern", "entity": 0},
        {"id": "1", "turn": 1, "start": 5, "end": 17, "type": "PHONE", "source": "pattern", "entity": 1},
    ]
    assert [HELLO[span["turn"]][span["start"] : span["end"]] for span in report["spans"]] == ["Tasha", "212-555-0143"]


def test_scrub_in_the_other_style(folder: Path):
    calls = write(folder / "in.jsonl", line("1", *HELLO))
    run(scrub, calls, folder / "out.jsonl", "--style", "pii")
    assert read(folder / "out.jsonl")[0]["turns"][1]["text"] == "It's [PII]."


def test_scrub_uses_the_facts_that_came_with_a_call_and_removes_them(folder: Path):
    facts = [{"type": "MEMBER_ID", "value": "KX 99812", "spoken": ["kilo x-ray"]}]
    calls = write(
        folder / "in.jsonl",
        line("1", "Which one?", "kilo x-ray, I mean kx99812", annotations={"extra": {"personal_facts": facts}}),
    )
    run(scrub, calls, folder / "out.jsonl")
    [call] = read(folder / "out.jsonl")
    assert call["turns"][1]["text"] == "[MEMBER_ID], I mean [MEMBER_ID]"
    assert call["annotations"]["extra"] == {}


def test_scrubbing_again_changes_nothing(folder: Path):
    calls = write(folder / "in.jsonl", line("1", *HELLO))
    run(scrub, calls, folder / "once.jsonl")
    run(scrub, folder / "once.jsonl", folder / "twice.jsonl")
    assert [call["turns"] for call in read(folder / "twice.jsonl")] == [
        call["turns"] for call in read(folder / "once.jsonl")
    ]


def test_a_call_with_malformed_facts_is_left_out_and_named(folder: Path):
    bad = line("7", "hello", annotations={"extra": {"personal_facts": "Maria"}})
    calls = write(folder / "in.jsonl", bad, line("8", "hello"))
    result = run(scrub, calls, folder / "out.jsonl")
    assert result.exit_code == 3
    assert "call 7" in result.stderr
    assert [call["id"] for call in read(folder / "out.jsonl")] == ["8"]


def test_grade_writes_a_grade_on_each_line(folder: Path):
    calls = write(folder / "in.jsonl", line("1", *HELLO), line("2", ""), line("3"))
    result = run(grade, calls, folder / "out.jsonl", "--tier", "local")
    assert result.exit_code == 0, result.output
    grades = [call["annotations"]["grade"] for call in read(folder / "out.jsonl")]
    assert [given["tier"] for given in grades] == ["local"] * 3
    assert [given["overall"] > 0 for given in grades] == [True, False, False]


def test_the_local_grade_of_a_file_holds_the_human_likeness_where_a_call_has_one(folder: Path):
    calls = write(folder / "in.jsonl", line("short", *HELLO), line("long", *HELLO * 6))
    run(grade, calls, folder / "out.jsonl")
    short, long = (call["annotations"]["grade"]["metrics"] for call in read(folder / "out.jsonl"))
    assert "human_likeness" not in short
    assert 0 <= long["human_likeness"] <= 1


@pytest.mark.parametrize("command", [dedupe, grade, scrub], ids=["dedupe", "grade", "scrub"])
class TestEveryStage:
    def test_a_bad_line_is_named_and_the_rest_goes_on(self, command, folder: Path):
        calls = write(
            folder / "in.jsonl", line("1", "one"), "{half a li", line("2", "two"), '{"id": 3}', line("4", "four"),
            '{"id": "5", "turns": [{"speaker": "robot", "text": "x"}]}', "[]", "",
        )  # fmt: skip
        result = run(command, calls, folder / "out.jsonl")
        assert result.exit_code == 3
        assert [call["id"] for call in read(folder / "out.jsonl")] == ["1", "2", "4"]
        for number in (2, 4, 6, 7):
            assert f"line {number}" in result.stderr
        assert "Traceback" not in result.output

    def test_the_summary_for_machines_is_json(self, command, folder: Path):
        calls = write(folder / "in.jsonl", line("1", "one"), line("1", "two"), "nonsense")
        result = run(command, calls, folder / "out.jsonl", "--json")
        summary = json.loads(result.stdout)
        assert (summary["read"], summary["rejects"], summary["duplicate_ids"]) == (2, 1, 1)

    def test_ids_that_come_twice_are_kept_and_said(self, command, folder: Path):
        calls = write(folder / "in.jsonl", line("1", "one"), line("1", "two"))
        result = run(command, calls, folder / "out.jsonl")
        assert result.exit_code == 0
        assert len(read(folder / "out.jsonl")) == 2
        assert "1 call has the id of an earlier one; it is kept as it is" in result.stdout

    @pytest.mark.parametrize(
        ("content", "says"),
        [("", "the file is empty"), ("\n\n", "the file is empty"), ("x\ny\n", "none of its 2 lines is a call")],
    )
    def test_a_file_without_calls_is_an_error_and_leaves_no_output(
        self, command, folder: Path, content: str, says: str
    ):
        (folder / "in.jsonl").write_text(content)
        result = run(command, folder / "in.jsonl", folder / "out.jsonl")
        assert result.exit_code == 1
        assert says in result.stderr
        assert [path.name for path in folder.iterdir()] == ["in.jsonl"]

    def test_a_missing_file_is_said(self, command, folder: Path):
        result = run(command, folder / "nothing.jsonl", folder / "out.jsonl")
        assert result.exit_code == 1
        assert "nothing.jsonl: there is no such file" in result.stderr

    def test_a_folder_is_no_file(self, command, folder: Path):
        calls = write(folder / "in.jsonl", line("1", "one"))
        assert "this is a folder" in run(command, folder, folder / "out.jsonl").stderr
        assert "the output is a folder" in run(command, calls, folder).stderr

    def test_the_output_never_overwrites_the_input(self, command, folder: Path):
        calls = write(folder / "in.jsonl", line("1", "one"))
        before = calls.read_bytes()
        result = run(command, calls, folder / "." / "in.jsonl")
        assert result.exit_code == 1
        assert "would overwrite the input" in result.stderr
        assert calls.read_bytes() == before

    def test_what_was_there_stays_when_the_stage_fails(self, command, folder: Path):
        (folder / "out.jsonl").write_text("old")
        (folder / "in.jsonl").write_text("")
        run(command, folder / "in.jsonl", folder / "out.jsonl")
        assert (folder / "out.jsonl").read_text() == "old"

    def test_a_byte_order_mark_and_windows_line_ends_are_fine(self, command, folder: Path):
        text = "\ufeff" + json.dumps(line("1", "one")) + "\r\n" + json.dumps(line("2", "two")) + "\r\n"
        (folder / "in.jsonl").write_bytes(text.encode())
        assert run(command, folder / "in.jsonl", folder / "out.jsonl").exit_code == 0
        assert len(read(folder / "out.jsonl")) == 2


@pytest.mark.parametrize("command", [dedupe, scrub])
def test_the_report_never_overwrites_a_file_of_the_stage(command, folder: Path):
    calls = write(folder / "in.jsonl", line("1", "one"))
    result = run(command, calls, folder / "out.jsonl", "--report", folder / "out.jsonl")
    assert result.exit_code == 1
    assert "the report would overwrite the output" in result.stderr


VERDICT = {
    "rationale": "The agent repeats the question.", "realism": 4.0, "coherence": 4.5, "naturalness": 3.0,
    "domain_accuracy": 4.5, "emotional_consistency": 4.0, "flow": 3.5, "completeness": 5.0,
}  # fmt: skip


@contextmanager
def judge_server(answer: Callable[[str], str]) -> Iterator[tuple[str, list[str]]]:
    """A real HTTP server that speaks as much of the protocol as a judge needs; gives its URL and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(
                "application/json", json.dumps({"object": "list", "data": [{"id": "judge-7b", "object": "model"}]})
            )

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = body["messages"][-1]["content"]
            asked.append(text)
            if not body.get("stream"):
                message = {"role": "assistant", "content": answer(text)}
                self._send(
                    "application/json",
                    json.dumps(
                        {
                            "id": "1",
                            "object": "chat.completion",
                            "created": 1,
                            "model": "judge-7b",
                            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                        }
                    ),
                )
                return
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "judge-7b"}
            first = {
                **chunk,
                "choices": [
                    {"index": 0, "delta": {"role": "assistant", "content": answer(text)}, "finish_reason": None}
                ],
            }
            last = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            self._send(
                "text/event-stream", f"data: {json.dumps(first)}\n\ndata: {json.dumps(last)}\n\ndata: [DONE]\n\n"
            )

        def _send(self, kind: str, text: str) -> None:
            data = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def judge_environment(url: str, folder: Path) -> dict[str, str]:
    return {"TIP_HOME": str(folder), "TIP_LLM_URL": url, "TIP_MODELS__PROBE_LOCALHOST": "false"}


def test_a_judge_grades_redacted_calls_in_their_order(folder: Path):
    calls = write(folder / "in.jsonl", *(line(str(n), *HELLO, f"call {n}") for n in range(5)))
    with judge_server(lambda _: json.dumps(VERDICT)) as (url, asked):
        result = run(grade, calls, folder / "out.jsonl", "--tier", "network", **judge_environment(url, folder))
    assert result.exit_code == 0, result.output
    graded = read(folder / "out.jsonl")
    assert [call["id"] for call in graded] == ["0", "1", "2", "3", "4"]
    given = graded[0]["annotations"]["grade"]
    assert (given["grader"], given["tier"], given["rubric_version"]) == ("judge-7b", "network", judge_rubric_version())
    assert given["overall"] == pytest.approx((11.5 / 3 + 3) / 2, abs=0.001)
    assert given["metrics"]["completeness"] == 1.0
    assert len(asked) == 5
    assert "not calibrated" in result.stdout
    assert not (folder / "out.jsonl.parts").exists()
    assert not any("Tasha" in text or "212" in text for text in asked)


def test_a_judge_that_answers_prose_leaves_the_call_ungraded_and_named(folder: Path):
    calls = write(folder / "in.jsonl", line("1", "prose please"), line("2", "fine"))
    with judge_server(lambda text: "Lovely call!" if "prose" in text else json.dumps(VERDICT)) as (url, _):
        result = run(grade, calls, folder / "out.jsonl", "--tier", "network", **judge_environment(url, folder))
    assert result.exit_code == 3
    assert "call 1 has no grade" in result.stderr
    assert [call["annotations"]["grade"] is None for call in read(folder / "out.jsonl")] == [True, False]
    with judge_server(lambda _: json.dumps(VERDICT)) as (url, asked):
        again = run(grade, calls, folder / "out.jsonl", "--tier", "network", **judge_environment(url, folder))
    assert (again.exit_code, len(asked)) == (0, 1)  # the call that has its grade is not asked about again


def test_grades_that_a_call_came_with_are_not_told_as_the_judges(folder: Path):
    calls = write(folder / "in.jsonl", *(line(str(n), *HELLO, f"call {n}") for n in range(3)), line("4", "new"))
    run(grade, calls, folder / "local.jsonl")
    lines = read(folder / "local.jsonl")
    del lines[3]["annotations"]["grade"]
    some, none = write(folder / "some.jsonl", *lines), write(folder / "none.jsonl", *lines[1:3])
    with judge_server(lambda text: json.dumps(VERDICT) if "call 0" in text else "Lovely call!") as (url, _):
        environ = judge_environment(url, folder)
        told = run(grade, some, folder / "out.jsonl", "--tier", "network", "--json", **environ)
        said = run(grade, some, folder / "out.jsonl", "--tier", "network", **environ)
        nothing = run(grade, none, folder / "n.jsonl", "--tier", "network", **environ)
    assert said.exit_code == nothing.exit_code == 3
    assert "1 of 4 calls judged, on average realism 4.00" in said.stdout
    assert "; 2 keep the grade they came with; 1 has none" in said.stdout
    assert "0 of 2 calls judged; 2 keep the grade they came with:" in nothing.stdout
    assert "call 1 keeps the grade it came with" in said.stderr and "call 4 has no grade" in said.stderr
    summary = json.loads(told.stdout)
    assert (summary["graded"], summary["mean"]["realism"], summary["kept_earlier_grade"]) == (1, 4.0, 2)
    assert [call["annotations"]["grade"] is None for call in read(folder / "out.jsonl")] == [False] * 3 + [True]


def test_without_a_judge_the_command_says_what_was_tried(folder: Path):
    calls = write(folder / "in.jsonl", line("1", "one"))
    url = "http://127.0.0.1:9/v1"
    result = run(grade, calls, folder / "out.jsonl", "--tier", "network", **judge_environment(url, folder))
    assert result.exit_code == 1
    assert url in result.stderr
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tier", "openai", "--rehearsal"), "--rehearsal goes with --tier network"),
        (("--model", "m"), "--model goes with"),
        (("--samples", "3"), "--samples goes with"),
    ],
)
def test_options_that_contradict_each_other_are_said(folder: Path, options: tuple[str, ...], said: str):
    calls = write(folder / "in.jsonl", line("1", "one"))
    result = run(grade, calls, folder / "out.jsonl", *options)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.slow
def test_a_killed_grading_goes_on_and_asks_only_for_the_rest(folder: Path):
    calls = write(folder / "in.jsonl", *(line(str(n), *HELLO, f"call {n}") for n in range(12)))
    parts = folder / "out.jsonl.parts"
    command = [sys.executable, "-c", "from tip_assets.cli.main import main; main()", "grade"]
    command += [str(calls), str(folder / "out.jsonl"), "--tier", "network", "--rehearsal", "--samples", "2"]
    with rehearsal_process("--slots", "2", "--time-to-first-token-ms", "100") as url:
        environ = {**os.environ, **judge_environment(url, folder)}
        killed = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while killed.poll() is None and len(list(parts.glob("*/*.json"))) < 6:
            time.sleep(0.01)
        killed.kill()
        assert killed.wait() == -signal.SIGKILL
        kept = len(list(parts.glob("*/*.json")))
        assert 6 <= kept < 24
        assert not (folder / "out.jsonl").exists()
        again = subprocess.run([*command, "--json"], env=environ, capture_output=True, text=True, check=True)
    summary = json.loads(again.stdout)
    assert summary["graded"] == 12
    # What lay far apart was asked once more, so there may be more than two answers a call.
    assert 24 - kept <= summary["answers_asked"] <= 36 - kept
    assert [call["id"] for call in read(folder / "out.jsonl")] == [str(n) for n in range(12)]
    assert not parts.exists()


def test_scrub_with_surrogates_writes_the_same_every_time_and_nothing_real(folder: Path, monkeypatch):
    monkeypatch.setenv("TIP_HOME", str(folder))
    calls = write(folder / "in.jsonl", line("1", *HELLO))
    texts = []
    for name in ("one.jsonl", "two.jsonl"):
        assert run(scrub, calls, folder / name, "--style", "surrogate").exit_code == 0
        texts.append([turn["text"] for turn in read(folder / name)[0]["turns"]])
    assert texts[0] == texts[1]
    assert "Tasha" not in texts[0][0] and texts[0][0].startswith("Hi, this is ") and "[" not in texts[0][0]
    assert "555-01" in texts[0][1] and "212-555-0143" not in texts[0][1]
