"""The journal of `tip bench engine`: what is kept stays kept, whatever happens to the process."""

from pathlib import Path

import pytest

from tip_assets.generation.answer_journal import JOURNAL_FILE, AnswerJournal
from tip_resources.domain.failures import BadInput

URL = "http://127.0.0.1:1/v1"


def kept_in(folder: Path, identity: str = "a") -> dict[int, str]:
    with AnswerJournal(folder, identity) as journal:
        return journal.kept


def test_what_was_kept_is_there_after_the_process_died_without_a_word(tmp_path: Path) -> None:
    journal = AnswerJournal(tmp_path, "a").__enter__()
    journal.keep(3, URL, {"turns": []})
    copy = tmp_path / "as a kill leaves it"
    copy.mkdir()
    (copy / JOURNAL_FILE).write_bytes((tmp_path / JOURNAL_FILE).read_bytes())
    journal.__exit__()
    assert kept_in(copy) == {3: URL}


def test_a_torn_last_line_is_cut_off_and_nothing_else(tmp_path: Path) -> None:
    with AnswerJournal(tmp_path, "a") as journal:
        journal.keep(1, URL, {"turns": []})
    path = tmp_path / JOURNAL_FILE
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"index": 2, "url": "http')
    with AnswerJournal(tmp_path, "a") as journal:
        assert journal.kept == {1: URL}
        journal.keep(4, URL, {"turns": []})
    assert path.read_bytes().startswith(whole)
    assert set(kept_in(tmp_path)) == {1, 4}


def test_a_torn_first_line_is_an_empty_journal(tmp_path: Path) -> None:
    (tmp_path / JOURNAL_FILE).write_bytes(b'{"identi')
    assert kept_in(tmp_path) == {}
    assert kept_in(tmp_path) == {}


def test_answers_to_other_requests_are_refused_and_left_alone(tmp_path: Path) -> None:
    with AnswerJournal(tmp_path, "a") as journal:
        journal.keep(1, URL, {"turns": []})
    with pytest.raises(BadInput, match="other requests"):
        kept_in(tmp_path, "b")
    assert kept_in(tmp_path, "a") == {1: URL}


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / JOURNAL_FILE).write_bytes(b"something else\n")
    with pytest.raises(BadInput, match="no line of a journal"):
        kept_in(tmp_path)


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with AnswerJournal(tmp_path, "a"), pytest.raises(BadInput, match="another process"):
        kept_in(tmp_path)
    assert kept_in(tmp_path) == {}
