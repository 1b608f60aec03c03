"""What keeps every run from starting, whatever state the machines are in; the gate asks."""

from collections.abc import Mapping
from pathlib import Path

from tip_resources.settings.models import Settings
from tip_resources.upkeep.disk_room import shortage
from tip_resources.upkeep.production import refusal


def why_nothing_starts(home: Path, settings: Settings, environ: Mapping[str, str]) -> str | None:
    """The reason in words, or None where nothing is in the way."""
    return refusal(home, settings, environ) or shortage(home, settings)
