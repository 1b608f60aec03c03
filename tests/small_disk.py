"""A file system of a few MB at a folder, for tests that fill it or lock it. Only root on Linux may mount one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, size_bytes: int, *options: str) -> Iterator[None]:
    """A file system in memory at `folder`; where none may be mounted, the test is skipped."""
    wanted = ",".join((f"size={size_bytes},mode=755", *options))
    if sys.platform != "linux" or mount("-t", "tmpfs", "-o", wanted, "tmpfs", str(folder)):
        pytest.skip("a file system can be mounted by root on Linux only")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(*arguments: str) -> int:
    """The exit code of `mount` with these arguments."""
    return subprocess.run(["mount", *arguments], check=False, stderr=subprocess.DEVNULL).returncode


def fill(ballast: Path) -> None:
    """Makes a file of every byte that is left on its file system."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(1 << 20)):
            pass
