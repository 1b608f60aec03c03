"""What was kept before a kill is there after it, by identity; what was refused is there too."""

from pathlib import Path

from upath import UPath

from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.reject import Reject
from tip_resources.storage.checkpoint import CallUsage, Checkpoint


def call(index: int) -> Conversation:
    return Conversation(id=f"c{index}", index=index, turns=(Turn(speaker="agent", text=f"hello {index}"),))


def reject(index: int | None, reason: str = "too_short") -> Reject:
    return Reject(dataset="d", index=index, reason=reason, detail="2 turns", raw_text='{"turns": []}')


def test_a_new_process_finds_what_an_earlier_one_kept(tmp_path: Path) -> None:
    Checkpoint(UPath(tmp_path)).save(call(3), "aaaa")
    Checkpoint(UPath(tmp_path)).save(call(1003), "bbbb")
    later = Checkpoint(UPath(tmp_path))
    assert later.finished() == {3: {"aaaa"}, 1003: {"bbbb"}}
    assert [*later.load([(1003, "bbbb"), (3, "aaaa")])] == [call(1003), call(3)]


def test_a_call_kept_under_another_identity_is_not_mistaken_for_this_one(tmp_path: Path) -> None:
    checkpoint = Checkpoint(UPath(tmp_path))
    checkpoint.save(call(3), "old-prompt")
    checkpoint.save(call(3), "new-prompt")
    assert checkpoint.finished() == {3: {"old-prompt", "new-prompt"}}


def test_rejects_keep_the_raw_text_and_count_as_attempts(tmp_path: Path) -> None:
    checkpoint = Checkpoint(UPath(tmp_path))
    for item in (reject(5), reject(5, "duplicate"), reject(None, "invalid_output")):
        checkpoint.reject(item)
    assert checkpoint.attempts() == {5: 2}
    assert {item.reason for item in checkpoint.rejects()} == {"too_short", "duplicate", "invalid_output"}
    assert all(item.raw_text for item in checkpoint.rejects())


def test_the_cost_of_a_model_call_is_found_by_its_id(tmp_path: Path) -> None:
    usage = CallUsage(call_id="x", endpoint="e", tokens_in=10, tokens_out=90, duration_ms=5.0, items=3)
    Checkpoint(UPath(tmp_path)).save_usage(usage)
    assert Checkpoint(UPath(tmp_path)).usages() == {"x": usage}


def test_starting_over_forgets_everything(tmp_path: Path) -> None:
    checkpoint = Checkpoint(UPath(tmp_path / "set"))
    checkpoint.save(call(1), "a")
    checkpoint.clear()
    checkpoint.clear()
    assert checkpoint.finished() == {} and checkpoint.attempts() == {} and checkpoint.usages() == {}


def test_what_a_killed_step_was_writing_is_removed_and_nothing_else(tmp_path: Path) -> None:
    checkpoint = Checkpoint(UPath(tmp_path))
    checkpoint.save(call(3), "aaaa")
    (tmp_path / "calls" / "00000" / ".00000004-bbbb.json.9c211b82.tmp").write_text('{"id": "c4", "tu')
    checkpoint.remove_half_written()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["00000003-aaaa.json"]
