"""Dagster's compute logs and artifacts under `.tip/`, with no machine's path in dagster.yaml.

In dagster.yaml: `compute_logs` and `local_artifact_storage`, each with this module, the class and `config: {}`.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import IO_TYPE_EXTENSION, LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._serdes import ConfigurableClassData

from tip_resources.database.dagster_storage import HOME_FIELD
from tip_resources.home import state_folder


class TipComputeLogManager(LocalComputeLogManager):
    """Standard output and error of every step, in `.tip/compute_logs`."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing has to be configured."""
        return HOME_FIELD

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "TipComputeLogManager":
        """Called by Dagster in every process that opens the instance."""
        return cls(base_dir=_folder("compute_logs", config_value), inst_data=inst_data)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Generator[CapturedLogContext, None, None]:
        """As Dagster does it, but what nothing was written to is not kept: that would be 30 empty files a data set."""
        with super().capture_logs(log_key) as captured:
            yield captured
        for stream in ComputeIOType:
            file = Path(self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[stream]))
            if file.is_file() and file.stat().st_size == 0:
                file.unlink()


class TipArtifactStorage(LocalArtifactStorage):
    """Dagster's files besides the sets: schedules, and outputs of ops that name no IO manager. `.tip/artifacts`."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing has to be configured."""
        return HOME_FIELD

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "TipArtifactStorage":
        """Called by Dagster in every process that opens the instance."""
        return cls(base_dir=_folder("artifacts", config_value), inst_data=inst_data)


def _folder(name: str, config_value: Any) -> str:
    home = config_value.get("home")
    folder = state_folder(Path(home).resolve() if home else None) / name
    folder.mkdir(exist_ok=True)
    return str(folder)
