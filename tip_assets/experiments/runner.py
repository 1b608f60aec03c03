"""Runs the trials of an experiment one after the other, keeps each result, and writes the comparison."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tip_assets.experiments.comparison_files import write_comparison
from tip_assets.experiments.results import Comparison, ResultFolder, TrialResult, trial_key
from tip_assets.experiments.trial import TrialRun, failed, warm_up, with_note
from tip_assets.experiments.variants import Experiment, Variant, settings_for
from tip_assets.generation.serving import ReadSettings
from tip_assets.generation.write_calls import WritingProgress
from tip_assets.planning.domain_library import DomainLibrary
from tip_assets.quality.judged_calls import JudgeTier
from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.fleet.system_facts import system_facts
from tip_resources.llm.endpoints import NoEndpoint
from tip_resources.llm.types import Endpoint
from tip_resources.llm.unload import unload_model

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers


def judge_tier(settings: ReadSettings, *, rehearsal: bool) -> JudgeTier | None:
    """Who judges besides the measured grade: the settings' choice; nobody where the calls are scripted."""
    tier = settings().quality.grading_tier
    if rehearsal or tier == "local":
        return None
    return "openai" if tier == "openai" else "network"


def run_experiment(
    experiment: Experiment,
    *,
    library: DomainLibrary,
    settings: ReadSettings,
    folder: Path,
    fresh: bool,
    unload_between: bool,
    environ: Mapping[str, str],
    on_trial: Callable[[TrialResult], None],
    on_progress: Callable[[Variant, WritingProgress], None],
    on_notice: Callable[[str], None],
    fleet: "FleetServers | None" = None,
) -> Comparison:
    """Runs what is not finished yet, and writes results.json, results.csv and results.html in `folder`.

    A variant that cannot be tried becomes a row that says why; the others go on.

    Args:
        library: The domain of the experiment's specification.
        settings: Reads endpoints, batches and thresholds.
        fresh: Forget what earlier runs left in `folder`.
        unload_between: Ask the servers to drop a variant's model before the next variant's.
        on_trial: Told the result of each trial, those of earlier runs too.
        fleet: The machines of the fleet; None knows of none.

    Raises:
        BadInput: A result of an earlier run cannot be read.
    """
    results = ResultFolder(folder)
    if fresh:
        results.clear()
    judge = judge_tier(settings, rehearsal=experiment.spec.rehearsal)
    used: list[Endpoint] = []
    run = TrialRun(
        experiment,
        library=library,
        settings=settings,
        folder=results,
        judge=judge,
        environ=environ,
        on_endpoints=used.extend,
        on_progress=on_progress,
        on_notice=on_notice,
        fleet=fleet,
    )
    warm_up(experiment, library)
    trials: list[TrialResult] = []
    for place, variant in enumerate(experiment.variants):
        now = settings_for(settings(), variant)
        key = trial_key(experiment, variant, now, prompt_hash=run.prompt(variant).hash, judge=judge or "")
        result = results.load(key)
        if result is None:
            used.clear()
            result = _tried(run, variant, key)
            if result.status == "done":
                results.save(key, result)
            following = [other.model for other in experiment.variants[place + 1 :]]
            if unload_between and any(model != variant.model for model in following):
                for outcome in _unloaded(used):
                    on_notice(outcome)
                    result = with_note(result, f"unloading: {outcome}")
                if result.status == "done":
                    results.save(key, result)
        trials.append(result)
        on_trial(result)
    comparison = Comparison(experiment=experiment, system=system_facts(), trials=tuple(trials))
    write_comparison(comparison, folder)
    return comparison


def _tried(run: TrialRun, variant: Variant, key: str) -> TrialResult:
    try:
        return run.run(variant, key)
    except NoEndpoint as failure:
        tried = "; ".join(f"{one.candidate.url}: {one.reason}" for one in failure.examined)
        return failed(variant, f"no server has it. {tried}" if tried else str(failure))
    except (PermanentFailure, TransientFailure) as failure:
        return failed(variant, str(failure))


def _unloaded(endpoints: list[Endpoint]) -> list[str]:
    async def unload_all() -> list[str]:
        return [str(await unload_model(endpoint)) for endpoint in endpoints]

    if endpoints and all(endpoint.scripted for endpoint in endpoints):
        return ["not possible here: the scripted server holds no model"]
    return asyncio.run(unload_all())
