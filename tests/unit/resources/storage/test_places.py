"""What `storage_url` may be, without anything being asked of S3."""

import sys
from pathlib import Path

import pytest

from tip_resources.domain.failures import BadInput
from tip_resources.storage.diagnosis import try_storage
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import list_objects, local_file, object_exists, put_object, read_object, remove_tree


def test_without_a_storage_url_all_lies_under_the_project_folder(tmp_path: Path) -> None:
    layout = Layout("", tmp_path)
    assert Path(layout.exports("d", "lex").path) == tmp_path / ".tip" / "data" / "exports" / "d" / "lex"


@pytest.mark.parametrize("given", ["elsewhere/calls", "{home}/elsewhere/calls", "file://{home}/elsewhere/calls"])
def test_a_folder_holds_sets_parts_and_exports_and_a_relative_one_lies_in_the_project(
    tmp_path: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    layout = Layout(given.format(home=tmp_path), tmp_path)
    for path in (layout.set_file("a", "d"), layout.parts("d"), layout.exports("d", "lex"), layout.calibrations):
        assert Path(path.path).is_relative_to(tmp_path / "elsewhere" / "calls")
    assert layout.scratch("r", "s").is_relative_to(tmp_path / ".tip")


def test_a_folder_answers_as_s3_does(tmp_path: Path) -> None:
    root = Layout("", tmp_path).root
    assert list_objects(root / "few", "*.json") == [] and not object_exists(root / "few/a.json")
    put_object(root / "few/a.json", b"1")
    put_object(root / "few/b.txt", b"2")
    assert [path.name for path in list_objects(root / "few", "*.json")] == ["a.json"]
    assert read_object(root / "few/a.json") == b"1"
    assert local_file(root / "few/a.json", tmp_path / "copies") == Path((root / "few/a.json").path)
    remove_tree(root / "few")
    remove_tree(root / "few")
    with pytest.raises(FileNotFoundError):
        read_object(root / "few/a.json")


def test_the_doctor_tries_the_folder_and_leaves_nothing(tmp_path: Path) -> None:
    assert str(tmp_path / "calls") in try_storage(Layout("calls", tmp_path))
    assert not any((tmp_path / "calls").iterdir())
    (tmp_path / "a file").write_text("in the way")
    with pytest.raises(BadInput, match=r"cannot be used: Not a directory. Mend it, or set storage_url"):
        try_storage(Layout("a file", tmp_path))


@pytest.mark.parametrize(
    "url", ["gs://bucket/calls", "s3://", "s3:///calls", "s3://bucket/ca[ll]s", "https://bucket.s3.amazonaws.com/calls"]
)
def test_another_kind_of_place_is_refused_with_those_there_are(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Use a folder, or s3://BUCKET/PREFIX"):
        Layout(url, tmp_path)


def test_without_s3fs_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(BadInput, match=r"s3fs, which is not installed.*transcript-intelligence-platform\[s3\]"):
        Layout("s3://bucket/calls", tmp_path)
