"""The storage root in S3, by moto's server over HTTP; and what is said when S3 is not as it must be."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from upath import UPath

from tests.s3_server import BUCKET, S3Server, forget_connections
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.domain.reject import Reject
from tip_resources.storage import objects, places
from tip_resources.storage.checkpoint import CallUsage, Checkpoint
from tip_resources.storage.diagnosis import try_storage
from tip_resources.storage.folders import local_folder, publish_folder
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import (
    list_objects,
    local_file,
    object_exists,
    put_file,
    put_object,
    read_object,
    relative_names,
    remove_tree,
)


@pytest.fixture
def root(s3: S3Server, tmp_path: Path) -> UPath:
    return Layout(s3.url, tmp_path).root


def call(index: int) -> Conversation:
    return Conversation(id=f"c{index}", index=index, turns=(Turn(speaker="agent", text=f"hello {index}"),))


def test_what_one_process_keeps_another_finds_at_once(s3: S3Server, root: UPath) -> None:
    checkpoint, other = Checkpoint(root / "parts/d"), Checkpoint(Layout(s3.url).root / "parts/d")
    assert other.finished() == {}
    checkpoint.save(call(3), "aaaa")
    checkpoint.save(call(1003), "bbbb")
    assert other.finished() == {3: {"aaaa"}, 1003: {"bbbb"}}
    assert [*other.load([(1003, "bbbb"), (3, "aaaa")])] == [call(1003), call(3)]
    reject = Reject(dataset="d", index=5, reason="too_short", detail="", raw_text="{}")
    checkpoint.reject(reject)
    checkpoint.save_usage(CallUsage(call_id="k", endpoint="", tokens_in=1, tokens_out=None, duration_ms=1, items=1))
    assert [*other.rejects()] == [reject] and other.attempts() == {5: 1} and [*other.usages()] == ["k"]
    other.clear()
    other.clear()
    assert checkpoint.finished() == {} and s3.names() == []


def test_more_objects_than_are_asked_for_at_once_come_in_order(root: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_READ_AHEAD", 3)
    paths = [root / f"few/{number}.json" for number in range(7)]
    for number, path in enumerate(paths):
        put_object(path, str(number).encode())
    assert [data for _, data in objects.read_objects(reversed(paths))] == [str(n).encode() for n in range(6, -1, -1)]
    assert [path.name for path in list_objects(root / "few", "*.json")] == [path.name for path in paths]
    assert list_objects(root, "*.json") == []


def test_a_file_in_s3_is_copied_once_for_each_version(s3: S3Server, root: UPath, tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        (tmp_path / "made").write_bytes(content)
        put_file(tmp_path / "made", root / "sets/a/d.parquet")
        assert not (tmp_path / "made").exists()
        copies = {local_file(root / "sets/a/d.parquet", tmp_path / "copies") for _ in range(2)}
        assert [copy.read_bytes() for copy in copies] == [content]
    fetched = [method for method, path in s3.requests if method == "GET" and path.endswith("d.parquet")]
    assert len(fetched) == 2
    assert len(list((tmp_path / "copies").iterdir())) == 2  # the reader of the first keeps what it reads


def test_a_large_file_goes_in_pieces_and_comes_back_as_it_was(s3: S3Server, root: UPath, tmp_path: Path) -> None:
    content = os.urandom(2 * places.PIECE_BYTES + 5)
    (tmp_path / "made").write_bytes(content)
    put_file(tmp_path / "made", root / "large")
    assert len([method for method, _ in s3.requests if method == "PUT"]) == 3
    assert local_file(root / "large", tmp_path / "copies").read_bytes() == content


def test_a_set_that_is_replaced_while_it_is_read_is_read_again(s3: S3Server, root: UPath, tmp_path: Path) -> None:
    put_object(root / "set", b"a" * 10)
    replacements = [b"b" * 10]

    def replace_once(method: str, path: str) -> bool:
        if method == "GET" and replacements:
            content = replacements.pop()
            s3.objects()  # not asked over HTTP: it is the server that is being asked
            put_directly(s3, "our calls/set", content)
        return False

    s3.is_away = replace_once
    assert local_file(root / "set", tmp_path).read_bytes() == b"b" * 10
    assert len(list(tmp_path.glob("*-set"))) == 1


def put_directly(s3: S3Server, key: str, content: bytes) -> None:
    from moto.s3.models import s3_backends  # pyright: ignore[reportMissingImports] - dev

    s3_backends["123456789012"]["aws"].put_object(BUCKET, key, content)


def test_an_export_has_its_manifest_last_and_an_earlier_one_is_withdrawn_first(
    s3: S3Server, root: UPath, tmp_path: Path
) -> None:
    target = root / "exports/d/lex"
    publish_folder(export(tmp_path / "one", "a.json", "old/b.json"), target, last="manifest.json")
    assert s3.names("exports/d/lex/") == ["a.json", "manifest.json", "old/b.json"]
    s3.requests.clear()
    publish_folder(export(tmp_path / "two", "a.json", "new/c.json"), target, last="manifest.json")
    assert s3.names("exports/d/lex/") == ["a.json", "manifest.json", "new/c.json"]
    changes = [(method, path) for method, path in s3.requests if method in ("PUT", "DELETE", "POST")]
    assert changes[0] == ("DELETE", f"/{BUCKET}/our calls/exports/d/lex/manifest.json")
    assert changes[-1] == ("PUT", f"/{BUCKET}/our calls/exports/d/lex/manifest.json")
    with local_folder(target, tmp_path / "copies") as folder:
        assert sorted(path.name for path in folder.rglob("*.json")) == ["a.json", "c.json", "manifest.json"]
    assert not any((tmp_path / "copies").iterdir())


def test_an_export_that_is_cut_off_has_no_manifest_and_the_next_one_puts_it_right(
    s3: S3Server, root: UPath, tmp_path: Path
) -> None:
    target = root / "exports/d/lex"
    publish_folder(export(tmp_path / "one", "a.json"), target, last="manifest.json")
    s3.is_away = lambda method, path: method == "PUT" and path.endswith("c.json")
    with pytest.raises(TransientFailure, match="S3 cannot be used now"):
        publish_folder(export(tmp_path / "two", "b.json", "c.json"), target, last="manifest.json")
    assert "manifest.json" not in s3.names("exports/d/lex/")
    s3.is_away = lambda method, path: False
    publish_folder(export(tmp_path / "three", "d.json"), target, last="manifest.json")
    assert s3.names("exports/d/lex/") == ["d.json", "manifest.json"]


def export(folder: Path, *names: str) -> Path:
    for name in (*names, "manifest.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name} of {folder.name}")
    return folder


EVERY_WAY_IN: list[Callable[[UPath], object]] = [
    lambda root: put_object(root / "x", b"1"),
    lambda root: read_object(root / "x"),
    lambda root: object_exists(root / "x"),
    lambda root: list_objects(root / "parts", "*.json"),
    lambda root: [*objects.read_objects([root / "x"])],
    lambda root: local_file(root / "x", Path("copies")),
    lambda root: remove_tree(root / "x"),
]


@pytest.mark.parametrize("way", range(len(EVERY_WAY_IN)))
def test_a_missing_bucket_is_told_by_whatever_is_done_first(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: int
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"no bucket 'nowhere'. Make it \(aws s3 mb s3://nowhere\)"):
        EVERY_WAY_IN[way](Layout("s3://nowhere/x", tmp_path).root)
    assert not any(path == "/nowhere" and method == "PUT" for method, path in s3.requests)  # s3fs would make one


@pytest.mark.parametrize("way", range(len(EVERY_WAY_IN)))
def test_a_server_that_is_gone_can_be_waited_for(
    s3: S3Server, root: UPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: int
) -> None:
    monkeypatch.chdir(tmp_path)
    s3.is_away = lambda method, path: True
    with pytest.raises(TransientFailure, match=r"S3 cannot be used now: .*Check AWS_ENDPOINT_URL"):
        EVERY_WAY_IN[way](root)


def test_missing_credentials_are_told_with_the_variables_that_hold_them(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    forget_connections()
    with pytest.raises(BadInput, match=r"no credentials for S3. Set AWS_ACCESS_KEY_ID"):
        put_object(Layout(s3.url, tmp_path).root / "x", b"1")


def test_a_profile_that_is_not_there_is_told(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    forget_connections()
    with pytest.raises(BadInput, match=r"S3 is not set up: .*profile \(nobody\).*AWS_PROFILE"):
        put_object(Layout(s3.url, tmp_path).root / "x", b"1")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("SignatureDoesNotMatch", r"does not accept the credentials \(SignatureDoesNotMatch\)"),
        ("AccessDenied", r"refuses us \(AccessDenied\).*s3:ListBucket on tip-test"),
        ("SlowDown", "cannot be used now"),
    ],
)
def test_what_s3_refuses_is_told_with_what_mends_it(root: UPath, code: str, said: str) -> None:
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingImports] - the extra s3
    from s3fs.errors import translate_boto_error  # pyright: ignore[reportMissingImports] - the extra s3

    refusal = ClientError({"Error": {"Code": code, "Message": "no"}}, "PutObject")  # moto grants everything
    with pytest.raises((BadInput, TransientFailure), match=said), places.reaching(root):
        raise translate_boto_error(refusal)


def test_a_full_disk_here_is_not_put_down_to_s3(root: UPath) -> None:
    with pytest.raises(OSError, match="No space left") as full, places.reaching(root):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert full.value.errno == errno.ENOSPC


def test_the_doctor_tries_s3_and_leaves_nothing(s3: S3Server, tmp_path: Path) -> None:
    assert s3.address in try_storage(Layout(s3.url, tmp_path))
    assert s3.names() == []


def test_an_object_that_is_missing_stays_a_missing_file(root: UPath, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_object(root / "x")
    with pytest.raises(FileNotFoundError):
        local_file(root / "x", tmp_path)
    assert not object_exists(root / "x") and relative_names(root) == {}
