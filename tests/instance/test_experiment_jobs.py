"""The experiments as jobs on a real instance, in-process, written by the rehearsal server."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tip_assets.definitions import build_definitions
from tip_assets.experiments.variants import SCRIPTED_WARNING
from tip_assets.platform import Platform


def run(home: Path, instance: dg.DagsterInstance, job: str, op: str, **config: Any) -> dg.ExecuteInProcessResult:
    definitions = build_definitions({"platform": Platform(home=str(home))})
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        run_config={"ops": {op: {"config": {"count": 3, "rehearsal": True, **config}}}},
        raise_on_error=False,
    )


def metadata(result: dg.ExecuteInProcessResult, op: str) -> dict[str, Any]:
    (output,) = [event for event in result.events_for_node(op) if event.is_successful_output]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


@pytest.mark.parametrize(
    ("job", "op", "config", "variant"),
    [
        ("bench_modes", "compare_modes", {"modes": ["batched"], "batch_sizes": [1, 3]}, "batched 3"),
        ("prompt_test", "compare_prompts", {}, "spoken"),
        ("bakeoff", "compare_models", {"models": ["phi-4", "qwen"], "unload": True}, "qwen"),
    ],
)
def test_each_experiment_runs_as_a_job_and_shows_its_table(
    home: Path, instance: dg.DagsterInstance, job: str, op: str, config: dict[str, Any], variant: str
) -> None:
    result = run(home, instance, job, op, **config)
    assert result.success
    shown = metadata(result, op)
    assert variant in shown["comparison"] and SCRIPTED_WARNING in shown["comparison"]
    assert (shown["scripted"], shown["not_measured"]) == (True, 0)
    folder = home / ".tip" / "experiments" / job
    assert Path(shown["page"]) == folder / "results.html"
    assert (folder / "results.csv").exists() and (folder / "results.json").exists()


def test_running_the_job_again_uses_what_is_measured(home: Path, instance: dg.DagsterInstance) -> None:
    config = {"name": "mine", "modes": ["batched"], "batch_sizes": [3]}
    assert run(home, instance, "bench_modes", "compare_modes", **config).success
    again = metadata(run(home, instance, "bench_modes", "compare_modes", **config), "compare_modes")
    assert "kept earlier" in again["comparison"]
    fresh = metadata(run(home, instance, "bench_modes", "compare_modes", fresh=True, **config), "compare_modes")
    assert "kept earlier" not in fresh["comparison"]
    assert (home / ".tip" / "experiments" / "mine" / "results.html").exists()


def test_a_name_cannot_leave_the_folder_of_experiments(home: Path, instance: dg.DagsterInstance) -> None:
    assert not run(home, instance, "bench_modes", "compare_modes", name="../../elsewhere").success
    assert not (home.parent / "elsewhere").exists()


def test_a_bakeoff_without_any_server_fails_with_the_reasons(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIP_LLM_URL", "http://127.0.0.1:9/v1")
    result = run(home, instance, "bakeoff", "compare_models", models=["phi-4"], rehearsal=False)
    assert not result.success
    (failure,) = [event for event in result.events_for_node("compare_models") if event.is_step_failure]
    assert "127.0.0.1:9" in str(failure.step_failure_data.user_failure_data)
