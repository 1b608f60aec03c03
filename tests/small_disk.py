"""A file system of a few MB at a folder, for tests that fill it or lock it. Only root may mount one."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[None]:
    """A file system in memory at `folder`."""
    assert mount("-t", "tmpfs", "-o", f"size={size_bytes},mode=755", "tmpfs", str(folder)) == 0
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def can_mount() -> bool:
    """Whether this process may mount file systems."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder), 1 << 20):
                return True
        except (OSError, AssertionError):
            return False


def mount(*arguments: str) -> int:
    """The exit code of `mount` with these arguments."""
    return subprocess.run(["mount", *arguments], check=False, stderr=subprocess.DEVNULL).returncode
