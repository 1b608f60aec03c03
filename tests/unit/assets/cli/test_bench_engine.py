"""`tip bench engine` against real servers: nothing lost, and after a kill only what is missing is asked."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks.engine.cases import DeviceSpec
from benchmarks.engine.processes import BenchCommand, device
from tip_assets.cli.main import main
from tip_assets.generation.answer_journal import JOURNAL_FILE
from tip_resources.rehearsal.process import rehearsal_process

FAULTY = ("--error-share", "0.1", "--reset-share", "0.05", "--truncated-share", "0.2")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("TIP_HOME", str(tmp_path / "home"))


def bench(*words: object) -> Result:
    return CliRunner().invoke(main, ["bench", "engine", *map(str, words)])


def kept_lines(folder: Path) -> list[dict]:
    lines = (folder / JOURNAL_FILE).read_bytes().splitlines()[1:]
    return [json.loads(line) for line in lines]


def test_it_prints_just_the_figures_and_keeps_every_answer(tmp_path: Path) -> None:
    with rehearsal_process() as url:
        result = bench("--endpoint", url, "--requests", 12, "--dir", tmp_path / "run", "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert list(figures) == [
        "requests",
        "kept",
        "lost",
        "asked",
        "makespan_seconds",
        "client_cpu_seconds",
        "peak_rss_mb",
        "endpoints",
    ]
    assert (figures["requests"], figures["kept"], figures["lost"], figures["asked"]) == (12, 12, 0, 12)
    assert list(figures["endpoints"][0]) == ["url", "kept", "concurrency_final", "p95_ttft_ms"]
    assert (figures["endpoints"][0]["url"], figures["endpoints"][0]["kept"]) == (url, 12)
    assert "scripted" in result.stderr
    lines = kept_lines(tmp_path / "run")
    assert sorted(line["index"] for line in lines) == list(range(12))
    assert all(line["answer"]["turns"] for line in lines)


def test_more_requests_in_the_same_folder_ask_only_for_those(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with device(DeviceSpec(), time_scale=0.001, seed=0) as server:
        bench("--endpoint", server.url, "--requests", 10, "--dir", folder, "--json")
        result = bench("--endpoint", server.url, "--requests", 25, "--dir", folder, "--json")
        stats = server.stats()
    figures = json.loads(result.stdout)
    assert (figures["kept"], figures["asked"]) == (25, 15)
    assert figures["endpoints"][0]["kept"] == 25
    assert (stats["requests"], stats["repeats_of_answered"]) == (25, 0)


def test_what_fails_is_asked_again_until_nothing_is_lost(tmp_path: Path) -> None:
    with device(DeviceSpec(flags=FAULTY), time_scale=0.001, seed=0) as server:
        result = bench("--endpoint", server.url, "--requests", 30, "--dir", tmp_path / "run", "--json")
        stats = server.stats()
    figures = json.loads(result.stdout)
    assert (figures["kept"], figures["lost"], result.exit_code) == (30, 0, 0)
    assert stats["outcomes"]["truncated"] > 0 and stats["outcomes"]["error"] > 0
    assert figures["asked"] == stats["requests"] > 30
    assert stats["repeats_of_answered"] == 0


def test_a_lost_answer_is_told_with_its_reason_and_the_exit_code(tmp_path: Path) -> None:
    with device(DeviceSpec(flags=("--truncated-share", "1")), time_scale=0.001, seed=0) as server:
        result = bench("--endpoint", server.url, "--requests", 3, "--dir", tmp_path / "run", "--json")
    figures = json.loads(result.stdout)
    assert (figures["kept"], figures["lost"], result.exit_code) == (0, 3, 3)
    assert figures["endpoints"][0]["p95_ttft_ms"] is None
    assert "lost 3: " in result.stderr


def test_after_a_kill_the_same_command_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with device(DeviceSpec(), time_scale=0.01, seed=0) as server:
        command = BenchCommand([server.url], 40, folder, tmp_path / "home")
        command.run_and_kill([server], answers=15)
        kept = {line["index"] for line in kept_lines(folder)}
        figures = command.run()
    assert 10 <= len(kept) < 40
    assert (figures["kept"], figures["lost"]) == (40, 0)
    assert figures["asked"] == 40 - len(kept)
    assert sorted(line["index"] for line in kept_lines(folder)) == list(range(40))


def test_two_servers_share_the_work_and_a_url_may_not_come_twice(tmp_path: Path) -> None:
    with device(DeviceSpec(), time_scale=0.005, seed=0) as one, device(DeviceSpec(), time_scale=0.005, seed=0) as two:
        words = ("--requests", 40, "--dir", tmp_path / "run")
        result = bench("--endpoint", one.url, "--endpoint", two.url, *words)
        twice = bench("--endpoint", one.url, "--endpoint", one.url, *words)
    assert result.exit_code == 0
    assert "kept 40 of 40, lost 0" in result.stdout
    assert one.url in result.stdout and two.url in result.stdout
    assert twice.exit_code == 1 and "twice" in twice.stderr


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = bench("--endpoint", "http://127.0.0.1:9/v1", "--requests", 1, "--dir", tmp_path / "run")
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stderr and "--model" in result.stderr
    assert not (tmp_path / "run").exists()


def test_a_key_is_sent_when_its_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_KEY", "secret")
    with rehearsal_process("--api-key", "secret") as url:
        words = ("--endpoint", url, "--requests", 2, "--json")
        locked = bench(*words, "--dir", tmp_path / "locked")
        opened = bench(*words, "--dir", tmp_path / "opened", "--api-key-env", "BENCH_KEY")
        missing = bench(*words, "--dir", tmp_path / "missing", "--api-key-env", "NO_SUCH_KEY")
    assert locked.exit_code == 3
    assert json.loads(opened.stdout)["kept"] == 2
    assert missing.exit_code == 1 and "NO_SUCH_KEY" in missing.stderr


def test_it_needs_no_dagster_and_no_database() -> None:
    code = (
        "import sys; sys.modules['dagster'] = sys.modules['sqlalchemy'] = None; "
        "import tip_assets.cli.bench, tip_assets.generation.bench_endpoints, tip_assets.generation.answer_journal, "
        "tip_assets.generation.bench_requests"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    with device(DeviceSpec(), time_scale=0.001, seed=0) as server:
        bench("--endpoint", server.url, "--requests", 3, "--dir", tmp_path / "run", "--json")
    assert threading.active_count() <= before
