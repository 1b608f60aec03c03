"""Two-agent sets end to end: real planning, real HTTP, the rehearsal server playing each side on its own."""

import json
from pathlib import Path

import pytest
from upath import UPath

from tip_assets.generation.glossary import prompt_for
from tip_assets.generation.write_calls import WritingProgress
from tip_assets.generation.writing import Written, nothing_delivered, write_plans
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import call_plan_at, plan_calls
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.settings.models import ModelSettings, Settings
from tip_resources.storage.checkpoint import Checkpoint

LIBRARY = load_library("retail")


def spec(count: int = 10) -> DatasetSpec:
    return DatasetSpec(name="two", count=count, domain="retail", mode="two_agent", rehearsal=True)


def write(folder: Path, count: int = 10, **options: object) -> tuple[Written, list[WritingProgress]]:
    seen: list[WritingProgress] = []
    rehearsal: tuple[str, ...] = options.pop("rehearsal", ())  # pyright: ignore[reportAssignmentType]
    settings = Settings(models=ModelSettings(rehearsal_options=rehearsal))
    written = write_plans(
        spec(count),
        lambda: plan_calls(spec(count), LIBRARY),
        prompt=prompt_for(LIBRARY),
        settings=lambda: settings,
        patience_seconds=0.0,
        checkpoint=Checkpoint(UPath(folder)),
        delivered=nothing_delivered,
        on_endpoints=lambda _found: None,
        on_progress=seen.append,
        on_notice=lambda _reason: None,
        **options,  # pyright: ignore[reportArgumentType]
    )
    return written, seen
