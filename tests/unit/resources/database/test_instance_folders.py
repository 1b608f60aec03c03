"""Standard output of steps on disk: what was said is kept, and nothing for what was not."""

from pathlib import Path

import pytest
from dagster._core.storage.compute_log_manager import ComputeIOType

from tip_resources.database.instance_folders import TipComputeLogManager

KEY = ["a-run", "compute_logs", "a-step"]


@pytest.mark.parametrize("says_something", [True, False])
def test_a_step_leaves_a_file_for_each_stream_it_wrote_to_and_no_empty_one(
    tmp_path: Path, says_something: bool
) -> None:
    manager = TipComputeLogManager(base_dir=str(tmp_path))
    with manager.capture_logs(KEY):
        if says_something:
            print("hello from the step", flush=True)
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert left == (["a-step.complete", "a-step.out"] if says_something else ["a-step.complete"])
    assert manager.is_capture_complete(KEY)
    said, _ = manager.get_log_data_for_type(KEY, ComputeIOType.STDOUT)
    assert (said or b"").decode() == ("hello from the step\n" if says_something else "")
    assert manager.get_log_data(KEY).stderr is None
