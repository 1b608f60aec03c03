"""Promises of telling model servers from other programs; with real processes where the system lets us start them."""

import os
import subprocess
import sys
from typing import NoReturn

import psutil
import pytest

from node_agent.collectors.gpus_programs import is_model_server, is_server_command, is_server_name


def denied(process: psutil.Process) -> NoReturn:
    raise psutil.AccessDenied(process.pid)


@pytest.mark.parametrize(
    "name", ["ollama", "ollama_llama_server", "llama-server", "lm studio", "lm-studio", "vllm", "vllm::enginecor"]
)
def test_model_servers_are_known_by_name(name: str) -> None:
    assert is_server_name(name)


@pytest.mark.parametrize("name", ["steam", "python3", "node", "eldenring", "lmao", "exotica", "my-ollama"])
def test_other_programs_are_not(name: str) -> None:
    assert not is_server_name(name)


@pytest.mark.parametrize(
    ("executable", "command"),
    [
        ("/usr/bin/python3", ["python3", "-u", "-m", "llama_cpp.server", "--model", "a.gguf"]),
        ("/usr/bin/python3.12", ["python3.12", "/usr/local/bin/vllm", "serve", "qwen"]),
        (r"C:\Users\me\.lmstudio\.internal\utils\node.exe", ["node.exe", "worker.js"]),
        ("/usr/bin/python3", ["python3", "-X", "utf8", "-c", "import vllm; vllm.LLM('a')"]),
    ],
)
def test_interpreters_that_run_a_model_server_are_ours(executable: str, command: list[str]) -> None:
    assert is_server_command(executable, command)


def test_an_interpreter_that_runs_something_else_is_not_ours() -> None:
    assert not is_server_command("/usr/bin/python3", ["python3", "train.py", "--out", "vllm"])
    assert not is_server_command("/usr/bin/python3", ["python3", "-X", "vllm", "-m", "train"])
    assert not is_server_command("/usr/bin/python3", ["python3"])


@pytest.mark.parametrize("is_of_another_user", [False, True])
def test_a_python_process_is_judged_by_what_it_runs(is_of_another_user: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if is_of_another_user:
        monkeypatch.setattr(psutil.Process, "exe", denied)
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    for comment, expected in (("# llama_cpp.server", True), ("# train.py", False)):
        command = [sys.executable, "-c", f"{code} {comment}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert is_model_server(process.pid) is expected
            process.communicate()


def test_a_process_that_nobody_lets_us_see_is_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "cmdline", denied)
    assert is_model_server(os.getpid()) is None


def test_a_process_that_is_gone_is_neither() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert not psutil.pid_exists(process.pid)
    assert is_model_server(process.pid) is None
    assert is_model_server(os.getpid()) is False
