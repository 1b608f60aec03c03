"""What an experiment leaves in its folder, so that the same command goes on where it stopped.

DIR/trials/<variant>-<identity>.json   figures of finished trials, written whole or not at all
DIR/parts/<variant>-<identity>/        what an unfinished trial has written so far
DIR/results.{json,csv,html}            the comparison, made anew each time
"""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Literal

import msgspec
from upath import UPath

from tip_assets.experiments.measures import Measures
from tip_assets.experiments.variants import Experiment, Variant, spec_for
from tip_resources.domain.codec import from_json, to_builtins, to_json
from tip_resources.fleet.system_facts import SystemFacts
from tip_resources.settings.models import Settings
from tip_resources.storage.atomic import write_atomically
from tip_resources.storage.checkpoint import Checkpoint


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """One variant after its trial. A failed one has a reason and no figures, and is tried again next time."""

    variant: Variant
    status: Literal["done", "failed"]
    reason: str = ""
    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    scripted: bool = False
    measures: Measures | None = None
    notes: tuple[str, ...] = ()
    finished_at: str = ""
    from_earlier_run: bool = False


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment with what came of it."""

    experiment: Experiment
    system: SystemFacts
    trials: tuple[TrialResult, ...]

    @property
    def is_scripted(self) -> bool:
        """Whether a scripted server wrote any of it: then the figures prove only the plumbing."""
        return self.experiment.spec.rehearsal or any(trial.scripted for trial in self.trials)

    @property
    def failed(self) -> tuple[TrialResult, ...]:
        """Trials without figures."""
        return tuple(trial for trial in self.trials if trial.status == "failed")


class ResultFolder:
    """The folder of one experiment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def clear(self) -> None:
        """Forgets all trials (`--fresh`)."""
        for part in ("trials", "parts"):
            shutil.rmtree(self.folder / part, ignore_errors=True)

    def load(self, key: str) -> TrialResult | None:
        """The result of a finished trial."""
        path = self._trial(key)
        if not path.exists():
            return None
        found = from_json(path.read_bytes(), TrialResult, where=str(path))
        return msgspec.structs.replace(found, from_earlier_run=True)

    def save(self, key: str, result: TrialResult) -> None:
        """Keeps a finished trial's result, and drops what it was made from."""
        write_atomically(self._trial(key), to_json(result))
        shutil.rmtree(self._parts(key), ignore_errors=True)

    def checkpoint(self, key: str) -> Checkpoint:
        """Where an unfinished trial keeps its calls."""
        return Checkpoint(UPath(self._parts(key) / "calls"))

    def seconds_spent(self, key: str) -> float:
        """Seconds that interrupted runs of an unfinished trial spent writing."""
        path = self._clock(key)
        return float(path.read_text(encoding="ascii")) if path.exists() else 0.0

    def keep_seconds(self, key: str, seconds: float) -> None:
        """Notes how long an unfinished trial has been written so far."""
        write_atomically(self._clock(key), f"{seconds:.3f}")

    def _trial(self, key: str) -> Path:
        return self.folder / "trials" / f"{key}.json"

    def _parts(self, key: str) -> Path:
        return self.folder / "parts" / key

    def _clock(self, key: str) -> Path:
        return self._parts(key) / "seconds"


def trial_key(experiment: Experiment, variant: Variant, settings: Settings, *, prompt_hash: str, judge: str) -> str:
    """A readable name and a hash of everything that shapes a trial: a result counts only while it is the same.

    Which server writes is not part of it, so that a server may move; the result says which one wrote.
    """
    spec = to_builtins(spec_for(experiment, variant))
    generation = settings.generation.model_dump(mode="json")
    shape = [spec, to_builtins(variant), generation, settings.quality.minimum_score, prompt_hash, judge]
    digest = hashlib.blake2b(to_json(shape), digest_size=6).hexdigest()
    readable = re.sub(r"[^a-z0-9]+", "-", variant.name.lower()).strip("-")[:40] or "variant"
    return f"{readable}-{digest}"
