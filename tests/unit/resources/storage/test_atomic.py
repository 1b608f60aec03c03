"""A reader sees all of a file or the file before it."""

import errno
import os
from pathlib import Path

import pytest

from tip_resources.storage.atomic import atomic_file, write_atomically


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "with spaces" / "file.txt"
    write_atomically(target, "old")
    with pytest.raises(RuntimeError), atomic_file(target) as file:
        file.write(b"half of the new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target]


def test_a_write_replaces_the_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    write_atomically(target, "a longer text than the next")
    write_atomically(target, b"short")
    assert target.read_bytes() == b"short"


def test_a_disk_that_fills_up_during_a_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file.txt"
    write_atomically(target, "old")

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_write_makes_the_folders_it_needs(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "file.txt"
    write_atomically(target, "")
    write_atomically(target, b"text")
    assert target.read_bytes() == b"text"
