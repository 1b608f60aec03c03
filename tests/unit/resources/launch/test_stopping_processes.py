import os
import subprocess
import sys
from pathlib import Path

import psutil

from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.stopping import ask_to_stop, kill_tree

WAITS_FOR_THE_FILE = """
import sys, time
from pathlib import Path
from tip_resources.launch.stopping import interrupt_when_asked
interrupt_when_asked(Path(sys.argv[1]))
print("ready", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("cleaned up", flush=True)
"""
HAS_A_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def start(code: str, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A process that runs `code`, and its first line."""
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_stop_file_interrupts_a_sleeping_process_as_ctrl_c_would(tmp_path: Path) -> None:
    stop_file = tmp_path / "stop"
    stop_file.touch()  # left over from an earlier process: must not stop this one
    process, line = start(WAITS_FOR_THE_FILE, str(stop_file))
    assert line == "ready"
    stop_file.touch()
    assert process.communicate(timeout=20)[0] == "cleaned up\n"
    assert not stop_file.exists()


def test_asking_a_process_that_has_ended_says_so(tmp_path: Path) -> None:
    assert not ask_to_stop(ProcessIdentity(os.getpid(), "another start"), tmp_path / "stop")


def test_a_killed_tree_leaves_no_descendant() -> None:
    process, child = start(HAS_A_CHILD)
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    kill_tree(identity)
    assert not identity.is_alive()
    process.wait(timeout=10)
    assert not psutil.pid_exists(int(child)) or psutil.Process(int(child)).status() == psutil.STATUS_ZOMBIE
