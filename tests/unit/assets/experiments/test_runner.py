"""Experiments over real HTTP: the same plans for all, kept results, and rows that say why there are none."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tests.unit.assets.experiments.renaming_relay import renaming_relay
from tip_assets.cli.bakeoff import bakeoff
from tip_assets.cli.bench_modes import modes
from tip_assets.cli.prompt_test import prompt_test
from tip_assets.experiments import trial as trials
from tip_assets.experiments.kinds import modes_experiment, trial_spec
from tip_assets.experiments.results import Comparison
from tip_assets.experiments.runner import run_experiment
from tip_assets.experiments.variants import SCRIPTED_WARNING, Experiment, Variant
from tip_assets.generation.write_calls import WritingProgress
from tip_assets.planning.domain_library import load_library
from tip_resources.rehearsal.process import rehearsal_process
from tip_resources.settings.models import EndpointSettings, ModelSettings, Settings

DOMAIN = "healthcare"


class PowerCut(Exception):
    """The process ends here."""


def run(
    experiment: Experiment,
    folder: Path,
    *,
    settings: Settings | None = None,
    fresh: bool = False,
    on_progress: Callable[[Variant, WritingProgress], None] = lambda _variant, _progress: None,
) -> Comparison:
    return run_experiment(
        experiment,
        library=load_library(DOMAIN, folder / "domains"),
        settings=lambda: settings or Settings(),
        folder=folder,
        fresh=fresh,
        unload_between=False,
        environ={},
        on_trial=lambda _result: None,
        on_progress=on_progress,
        on_notice=lambda _reason: None,
    )


def two_sizes(count: int = 6, sizes: tuple[int, ...] = (2, 3)) -> Experiment:
    spec = trial_spec("bench-modes", count=count, domain=DOMAIN, rehearsal=True)
    return modes_experiment(spec, modes=["batched"], batch_sizes=sizes)


def test_every_batch_size_writes_the_same_plans_and_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[list[str]] = []
    plan_calls = trials.plan_calls

    def watched(spec, library):
        plans = list(plan_calls(spec, library))
        planned.append([msgspec.json.encode(plan).decode() for plan in plans])
        return iter(plans)

    monkeypatch.setattr(trials, "plan_calls", watched)
    found = run(two_sizes(), tmp_path)
    assert len(planned) >= 2 and all(plans == planned[0] for plans in planned)
    assert [trial.measures.batch_size for trial in found.trials if trial.measures] == [2, 3]
    for trial in found.trials:
        assert trial.measures is not None and trial.measures.kept == 6 and trial.scripted
        assert trial.measures.tokens_out_per_kept and trial.measures.first_token_p95_ms and trial.measures.local.realism
    assert found.is_scripted
    assert {path.name for path in tmp_path.glob("results.*")} == {"results.json", "results.csv", "results.html"}
    assert not list((tmp_path / "parts").glob("*"))


def test_a_batch_larger_than_what_fits_is_said_to_be_smaller(tmp_path: Path) -> None:
    found = run(two_sizes(4, (9,)), tmp_path)
    assert "batch size 4, limited by the 4 calls asked for" in found.trials[0].notes


def test_a_finished_trial_is_not_run_again_until_asked_afresh(tmp_path: Path) -> None:
    first = run(two_sizes(), tmp_path).trials[0]
    asked: list[str] = []
    again = run(two_sizes(), tmp_path, on_progress=lambda variant, _: asked.append(variant.name)).trials[0]
    assert again.from_earlier_run and again.measures == first.measures and not asked
    more = run(two_sizes(sizes=(2, 3, 6)), tmp_path, on_progress=lambda variant, _: asked.append(variant.name))
    assert set(asked) == {"batched 6"} and [trial.from_earlier_run for trial in more.trials] == [True, True, False]
    assert not run(two_sizes(), tmp_path, fresh=True).trials[0].from_earlier_run


def test_a_result_counts_only_for_what_it_was_measured_with(tmp_path: Path) -> None:
    run(two_sizes(), tmp_path)
    assert not run(two_sizes(7), tmp_path).trials[0].from_earlier_run


def test_an_interrupted_trial_goes_on_with_what_it_had(tmp_path: Path) -> None:
    def cut(_variant: Variant, progress: WritingProgress) -> None:
        if progress.kept >= 3:
            raise PowerCut

    experiment = two_sizes(8, (1,))
    with pytest.raises(PowerCut):
        run(experiment, tmp_path, on_progress=cut)
    had = len(list((tmp_path / "parts").rglob("calls/calls/*/*.json")))
    assert had >= 3
    seen: list[int] = []
    found = run(experiment, tmp_path, on_progress=lambda _, progress: seen.append(progress.kept)).trials[0]
    assert min(seen) >= had
    assert found.measures is not None and found.measures.kept == 8
    assert any("interrupted" in note for note in found.notes)


def test_a_mode_that_calls_cannot_be_written_in_is_a_row_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "SUPPORTED_MODES", frozenset({"batched"}))
    spec = trial_spec("bench-modes", count=3, domain=DOMAIN, rehearsal=True)
    found = run(modes_experiment(spec, modes=["batched", "two_agent"], batch_sizes=[3]), tmp_path)
    assert [trial.status for trial in found.trials] == ["done", "failed"]
    assert "two_agent" in found.trials[1].reason


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    monkeypatch.setenv("TIP_MODELS__PROBE_LOCALHOST", "false")
    return tmp_path


def test_bench_modes_says_that_scripted_figures_prove_only_the_plumbing(home: Path) -> None:
    args = ["--count", "4", "--batch-sizes", "1,4", "--modes", "batched", "--rehearsal"]
    result = CliRunner().invoke(modes, args)
    assert result.exit_code == 0, result.output
    assert result.stdout.count(SCRIPTED_WARNING) >= 1
    assert "batched 1" in result.stdout and "tokens out per kept call" in result.stdout
    document = json.loads(CliRunner().invoke(modes, [*args, "--json"]).stdout)
    assert document["warning"] == SCRIPTED_WARNING and all(trial["from_earlier_run"] for trial in document["trials"])
    assert Path(document["files"]["html"]).is_relative_to(home)


@pytest.mark.parametrize(("option", "value"), [("--modes", "batched,psychic"), ("--batch-sizes", "1,none")])
def test_bench_modes_refuses_what_it_does_not_know(home: Path, option: str, value: str) -> None:
    assert CliRunner().invoke(modes, [option, value, "--rehearsal"]).exit_code == 2


def test_the_prompt_test_sends_each_variant_s_own_words(home: Path) -> None:
    mine = home / "mine.yaml"
    mine.write_text("name: mine\nsystem: |\n  Write the calls. " + "Be brief. " * 200 + "\n", encoding="utf-8")
    args = ["--prompts", str(mine), "--trials", "3", "--rehearsal", "--json"]
    result = CliRunner().invoke(prompt_test, args)
    assert result.exit_code == 0, result.output
    current, longer = (trial["measures"] for trial in json.loads(result.stdout)["trials"])
    assert longer["tokens_in_per_kept"] > current["tokens_in_per_kept"]


def test_a_bakeoff_asks_each_model_and_says_which_nobody_serves(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with rehearsal_process() as target, renaming_relay(target, ["alpha", "beta"]) as (url, asked):
        monkeypatch.setenv("TIP_LLM_URL", url)
        args = ["--models", "alpha,gamma,beta", "--trials", "3", "--unload", "--json"]
        result = CliRunner().invoke(bakeoff, args)
        assert result.exit_code == 3, result.output
        document = json.loads(result.stdout)
        alpha, gamma, beta = document["trials"]
        assert set(asked) == {"alpha", "beta"}
        assert (alpha["models"], beta["models"], gamma["status"]) == (["alpha"], ["beta"], "failed")
        assert "does not serve gamma; it serves alpha, beta" in gamma["reason"]
        assert any("not possible here" in note for note in alpha["notes"])
        assert not any("unloading" in note for note in beta["notes"])
        assert document["scripted"] is False

        before = len(asked)
        again = json.loads(CliRunner().invoke(bakeoff, args).stdout)
        assert len(asked) == before
        assert [trial["from_earlier_run"] for trial in again["trials"]] == [True, False, True]


def test_a_bakeoff_that_could_try_no_model_fails(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIP_LLM_URL", "http://127.0.0.1:9/v1")
    result = CliRunner().invoke(bakeoff, ["--models", "a,b", "--trials", "2"])
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/v1" in result.stdout and "NOT MEASURED" in result.stdout


def test_a_configured_judge_grades_the_kept_calls(tmp_path: Path) -> None:
    with rehearsal_process() as target, renaming_relay(target, ["alpha"]) as (url, _):
        settings = Settings(
            models=ModelSettings(endpoints=(EndpointSettings(url=url),), probe_localhost=False),
            quality=Settings().quality.model_copy(update={"grading_tier": "network"}),
        )
        spec = trial_spec("bench-modes", count=2, domain=DOMAIN)
        found = run(modes_experiment(spec, modes=["batched"], batch_sizes=[2]), tmp_path, settings=settings).trials[0]
    assert found.measures is not None and found.measures.judged is not None, found.reason
    assert found.measures.judged.graded == 2 and found.measures.judged.realism
