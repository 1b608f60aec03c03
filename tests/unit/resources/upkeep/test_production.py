"""What production refuses, and how it says so."""

from pathlib import Path

import pytest

from tip_resources.domain.failures import BadInput
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import EndpointSettings, ModelSettings, Settings
from tip_resources.settings.upkeep_models import DiskSettings
from tip_resources.upkeep.holding import why_nothing_starts
from tip_resources.upkeep.production import refusal, refuse_unsafe, unsafe_defaults

KEY = {"TIP_REDACTION_KEY": "0123456789abcdef0123456789abcdef"}
LOCAL = EndpointSettings(url="http://192.168.1.20:1234/v1")


def settings(**changes: object) -> Settings:
    safe = {"environment": "production", "models": ModelSettings(probe_localhost=False, endpoints=(LOCAL,))}
    return Settings.model_validate({**safe, **changes})


def models(**changes: object) -> ModelSettings:
    return ModelSettings.model_validate({"probe_localhost": False, **changes})


def test_a_careful_configuration_is_not_refused(tmp_path: Path) -> None:
    environ = {"TIP_DATABASE_URL": "postgresql://tip:hG5ws0_q@db.example.com/tip?sslmode=require", **KEY}
    assert unsafe_defaults(tmp_path, settings(), environ) == ()
    assert unsafe_defaults(tmp_path, settings(), {}) == ()
    refuse_unsafe(tmp_path, settings(), environ)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (settings(debug=True), "debug is on"),
        (settings(models=ModelSettings()), "models.probe_localhost"),
        (settings(models=models(rehearsal_options=("--slots", "2"))), "models.rehearsal_options"),
        (settings(disk=DiskSettings(reserve_gigabytes=0)), "disk.reserve_gigabytes is 0"),
        (settings(models=models(endpoints=({"url": "http://localhost:9/v1", "model": "rehearsal"},))), "scripted"),
        (settings(models=models(endpoints=({"url": "http://models.example.com/v1"},))), "over plain http"),
        (
            settings(models=models(endpoints=({"url": "http://192.168.1.9:1/v1", "api_key_env": "K"},))),
            "prompts and a key go to 192.168.1.9:1",
        ),
        (
            settings(fleet=FleetSettings(nodes=(FleetNodeSettings(name="far", url="http://far.example.com:8765"),))),
            "the agent of far",
        ),
    ],
)
def test_each_unsafe_setting_is_named_with_how_to_mend_it(tmp_path: Path, given: Settings, word: str) -> None:
    (found,) = unsafe_defaults(tmp_path, given, {})
    assert word in found.what and found.mend


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://tip@db.lan/tip", "without a password"),
        ("postgresql://tip:tip@localhost/tip", "can be guessed"),
        ("postgresql://tip:hG5ws0_q@db.example.com/tip", "need not be encrypted"),
    ],
)
def test_an_unsafe_way_to_the_database_is_named_and_its_password_is_not(tmp_path: Path, url: str, word: str) -> None:
    (found,) = unsafe_defaults(tmp_path, settings(), {"TIP_DATABASE_URL": url, **KEY})
    assert word in found.what and "hG5ws0_q" not in found.what + found.mend


def test_a_shared_database_needs_a_shared_redaction_key(tmp_path: Path) -> None:
    environ = {"TIP_DATABASE_URL": "postgresql://tip:hG5ws0_q@db.lan/tip"}
    (found,) = unsafe_defaults(tmp_path, settings(), environ)
    assert "TIP_REDACTION_KEY" in found.what


def test_secrets_that_others_can_read_are_named(tmp_path: Path) -> None:
    key, env_file = tmp_path / ".tip" / "redaction.key", tmp_path / ".env"
    key.parent.mkdir()
    key.write_bytes(b"k" * 32)
    env_file.write_text("OPENAI_API_KEY=sk-1\nTIP_DEBUG=\n")
    for file in (key, env_file):
        file.chmod(0o644)
    for file, found in zip((key, env_file), unsafe_defaults(tmp_path, settings(), {}), strict=True):
        assert str(file) in found.what
    env_file.write_text("DAGSTER_DISABLE_TELEMETRY=1\n")
    key.chmod(0o600)
    assert unsafe_defaults(tmp_path, settings(), {}) == ()


def test_development_is_told_and_not_refused_and_production_starts_nothing(tmp_path: Path) -> None:
    loose = Settings(debug=True)
    assert len(unsafe_defaults(tmp_path, loose, {})) == 2
    assert refusal(tmp_path, loose, {}) is None
    refuse_unsafe(tmp_path, loose, {})
    strict = settings(debug=True)
    held = why_nothing_starts(tmp_path, strict, {})
    assert held is not None and "the environment is production" in held and "debug is on" in held
    with pytest.raises(BadInput, match=r"(?s)production, which refuses:.*debug is on.*tip config set debug false"):
        refuse_unsafe(tmp_path, strict, {})
