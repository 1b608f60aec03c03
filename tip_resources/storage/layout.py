"""Where things lie under the storage root, a folder or a prefix in S3. Every path of stored data is made here.

root/
  sets/<asset>/<dataset>.parquet        what Dagster assets hold
  parts/<dataset>/                      checkpoint parts while a set is written
  judged/<dataset>/                     answers of judges, one each
  calibrations/                         how graders stand to people's labels, one object each
  prompts/<hash>.json                   the words calls were asked with, by their hash; never changed
  exports/<dataset>/<format>/           what leaves the house

.tip/scratch/<run>/<step>/              working files of a step; always local, safe to delete between runs
"""

import shutil
from pathlib import Path

from upath import UPath

from tip_resources.domain.names import validate_dataset_name
from tip_resources.home import project_home, state_folder
from tip_resources.settings.layers import load_settings
from tip_resources.storage.places import is_local, storage_root


class Layout:
    """Paths under one storage root. `storage_url` empty means `.tip/data` under the project folder.

    Raises:
        BadInput: `storage_url` names no place that can be used.
    """

    def __init__(self, storage_url: str = "", home: Path | None = None) -> None:
        home = home or project_home()
        self._home, self._state = home, state_folder(home)
        self.root = storage_root(storage_url, home) if storage_url.strip() else UPath(self._state / "data")

    def shown(self, path: UPath) -> str:
        """The place as a person in the project folder would name it, which asset pages have the room to show."""
        here = Path(path.path)
        inside = is_local(path) and here.is_relative_to(self._home)
        return str(here.relative_to(self._home) if inside else path)

    @property
    def sets(self) -> UPath:
        """Base of all Parquet sets."""
        return self.root / "sets"

    def set_file(self, asset: str, dataset: str) -> UPath:
        """The Parquet file of one asset's partition."""
        return self.sets / asset / f"{validate_dataset_name(dataset)}.parquet"

    def parts(self, dataset: str) -> UPath:
        """Checkpoint parts of a set while it is written."""
        return self.root / "parts" / validate_dataset_name(dataset)

    def judged(self, dataset: str) -> UPath:
        """Answers of the judges of a set."""
        return self.root / "judged" / validate_dataset_name(dataset)

    @property
    def calibrations(self) -> UPath:
        """Calibrations of graders."""
        return self.root / "calibrations"

    def prompt_file(self, prompt_hash: str) -> UPath:
        """The words of a prompt, under the hash that provenance names."""
        return self.root / "prompts" / f"{prompt_hash}.json"

    def exports(self, dataset: str, export_format: str = "") -> UPath:
        """Folder of one export, or of all of a data set."""
        folder = self.root / "exports" / validate_dataset_name(dataset)
        return folder / export_format if export_format else folder

    def scratch(self, run_id: str, step: str) -> Path:
        """Working files of one step of one run."""
        return self._state / "scratch" / run_id / step

    def clear_scratch(self, run_id: str) -> None:
        """Removes a run's working files, once its last step has written what it wanted to keep."""
        shutil.rmtree(self._state / "scratch" / run_id, ignore_errors=True)


def layout_of(home: Path) -> Layout:
    """Where things of a project folder lie, by its settings as they are now."""
    return Layout(load_settings(home).storage_url, home)
