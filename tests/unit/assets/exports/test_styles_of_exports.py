"""What an export says of the style it was redacted in, and where it keeps the way back to the original's offsets."""

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest

from tip_assets.exports.jsonl_export import write_jsonl
from tip_assets.exports.lex import write_lex
from tip_assets.exports.lex_check import check_lex_export
from tip_assets.exports.manifest import read_manifest
from tip_resources.domain.conversation import Turn
from tip_resources.domain.redaction import RedactionStyle
from tip_resources.redaction_key import redaction_key
from tip_resources.settings.models import ExportSettings

KEY = b"0123456789abcdef0123456789abcdef"
DAY = date(2026, 11, 21)


def lex(calls, directory: Path, style: RedactionStyle) -> dict:
    write_lex(calls, directory, dataset="set-one", style=style, key=KEY, fallback_date=DAY, minimum_turns=1)
    assert check_lex_export(directory, minimum_turns=1).errors == ()
    (file,) = directory.glob("[0-9]*/**/*.json")
    return {"name": file.name, **json.loads(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(("style", "mode"), [("type_tag", "ENTITY_TYPE"), ("pii", "PII")])
def test_masks_of_contact_lens_claim_to_be_redacted(make_call, tmp_path: Path, style: RedactionStyle, mode: str):
    document = lex([make_call()], tmp_path / "lex", style)
    assert document["ContentMetadata"]["Output"] == "Redacted"
    assert document["ContentMetadata"]["RedactionTypesMetadata"]["PII"]["RedactionMaskMode"] == mode
    assert "_analysis_redacted_" in document["name"]


@pytest.mark.parametrize("style", ["surrogate", "hash"])
def test_surrogates_and_hash_tags_do_not(make_call, tmp_path: Path, style: RedactionStyle):
    document = lex([make_call()], tmp_path / "lex", style)
    assert document["ContentMetadata"] == {"RedactionTypes": ["PII"], "Output": "Raw"}
    assert "_analysis_redacted_" not in document["name"]
    said = document["Transcript"][1]["Content"]
    assert "Anna" not in said and "Schmidt" not in said and said.startswith("My name is ")


@pytest.mark.parametrize("style", ["type_tag", "pii", "surrogate", "hash"])
def test_the_offsets_before_and_after_are_kept_without_the_text(make_call, tmp_path: Path, style: RedactionStyle):
    call = make_call()
    write_jsonl([call], tmp_path / "out", dataset="set-one", style=style, key=KEY)  # type: ignore[arg-type]
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None and manifest.spans is not None
    text = (tmp_path / "out" / manifest.spans.path).read_text(encoding="utf-8")
    [span] = json.loads(text)["spans"]
    assert call.turns[1].text[span["start"] : span["end"]] == "Anna Schmidt"
    [line] = (tmp_path / "out" / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
    new = json.loads(line)["turns"][1]["text"]
    assert new[: span["new_start"]] + new[span["new_end"] :] == "My name is  and I have a bill."
    assert "Anna" not in text


def test_a_raw_export_has_no_offsets(make_call, tmp_path: Path):
    write_jsonl([make_call()], tmp_path / "out", dataset="set-one", style="raw")
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None and manifest.spans is None and not (tmp_path / "out" / "spans.jsonl").exists()


def test_a_call_in_which_a_fact_it_carries_is_left_does_not_leave(make_call, tmp_path: Path):
    call = make_call(turns=(Turn(speaker="agent", text="Hi"), Turn(speaker="customer", text="the code is QX77120934")))
    facts = [{"type": "MEMBER_ID", "value": "QX77120934", "spoken": []}]
    annotations = msgspec.structs.replace(call.annotations, spans=(), extra={"personal_facts": facts})
    summary = write_jsonl([msgspec.structs.replace(call, annotations=annotations)], tmp_path / "out", dataset="set-one")
    manifest = read_manifest(tmp_path / "out")
    assert (summary.conversations, summary.left_out) == (0, 1)
    assert manifest is not None and "MEMBER_ID" in manifest.left_out[0].reason
    assert "QX7712" not in (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")


def test_calls_that_had_tags_before_are_said_to_keep_them(make_call, tmp_path: Path):
    write_jsonl([make_call()], tmp_path / "one", dataset="set-one")
    lines = (tmp_path / "one" / "conversations.jsonl").read_bytes().splitlines()
    from tip_resources.domain.codec import conversation_from_json

    calls = [conversation_from_json(line) for line in lines]
    summary = write_jsonl(calls, tmp_path / "two", dataset="set-one", style="surrogate", key=KEY)
    assert "another style before" in " ".join(summary.warnings)


def test_every_format_may_have_its_own_style():
    settings = ExportSettings(redaction_style="pii", styles={"jsonl": "surrogate"})
    assert (settings.style_of("lex"), settings.style_of("jsonl")) == ("pii", "surrogate")
    assert settings.styles_used == ("pii", "surrogate")


def test_the_key_is_made_once_and_differs_by_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TIP_REDACTION_KEY", raising=False)
    key = redaction_key(tmp_path, "one")
    assert len(key) == 32 and key == redaction_key(tmp_path, "one") and key != redaction_key(tmp_path, "two")
    file = tmp_path / ".tip" / "redaction.key"
    assert file.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("TIP_REDACTION_KEY", "a secret of one's own, long enough")
    assert redaction_key(tmp_path, "one") != key


def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIP_REDACTION_KEY", "secret")
    with pytest.raises(Exception, match="guessed"):
        redaction_key(tmp_path, "one")
