"""The experiments as jobs: one op each, results in .tip/experiments/<name>, the table in the op's metadata.

Running a job again with the same configuration goes on where it stopped, as the commands do.
"""

import os
from pathlib import Path
from typing import Literal

import dagster as dg
from pydantic import Field

from tip_assets.catalogue import RUN_POOL
from tip_assets.experiments.comparison_table import markdown_table
from tip_assets.experiments.kinds import (
    known_modes,
    models_experiment,
    modes_experiment,
    prompts_experiment,
    trial_spec,
)
from tip_assets.experiments.prompt_variants import prompt_variants
from tip_assets.experiments.results import TrialResult
from tip_assets.experiments.runner import run_experiment
from tip_assets.experiments.variants import Experiment
from tip_assets.platform import Platform
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.names import validate_dataset_name
from tip_resources.home import state_folder
from tip_resources.launch.step_failures import clear_failures


class ExperimentConfig(dg.Config):
    """What every experiment can be told."""

    name: str = Field(default="", description="Folder of the results under .tip/experiments; empty takes the job's.")
    domain: str = Field(default="healthcare", description="Domain of the calls.")
    complexity: Literal["simple", "complex"] = Field(default="simple", description="Complexity of the calls.")
    tone: str = Field(default="neutral", description="Emotional tone of the callers.")
    seed: int = Field(default=1, ge=0, description="Seed of the plans.")
    count: int = Field(default=30, ge=1, description="Calls per variant.")
    rehearsal: bool = Field(default=False, description="Use the scripted server: proves only the plumbing.")
    fresh: bool = Field(default=False, description="Forget what earlier runs left, and start over.")

    def spec(self, job: str, model: str | None = None) -> DatasetSpec:
        """The specification whose calls every variant writes."""
        return trial_spec(
            validate_dataset_name(self.name or job),
            count=self.count,
            domain=self.domain,
            complexity=self.complexity,
            tone=self.tone,
            seed=self.seed,
            rehearsal=self.rehearsal,
            model=model,
        )


class ModesConfig(ExperimentConfig):
    """`tip bench modes` as a job."""

    modes: list[str] = Field(default=["batched", "two_agent"], description="Modes to compare.")
    batch_sizes: list[int] = Field(default=[1, 5, 15, 30], description="Calls per model call, for batched.")


class PromptsConfig(ExperimentConfig):
    """`tip prompt-test` as a job."""

    batch_size: int = Field(default=1, ge=1, description="Calls per model call.")
    prompts: list[str] = Field(default=[], description="YAML files of variants; none compares the built-in ones.")
    model: str = Field(default="", description="Model to ask; empty leaves it to the settings.")


class ModelsConfig(ExperimentConfig):
    """`tip bakeoff` as a job."""

    batch_size: int = Field(default=1, ge=1, description="Calls per model call.")
    models: list[str] = Field(description="Models, by the names their servers list.")
    unload: bool = Field(default=False, description="Ask the server to drop each model before the next.")


@dg.op(out=dg.Out(dg.Nothing), pool=RUN_POOL)
def compare_modes(context: dg.OpExecutionContext, config: ModesConfig, platform: Platform) -> None:
    """Writes the same planned calls in several ways, and measures them side by side."""
    with clear_failures():
        spec = config.spec("bench_modes")
        experiment = modes_experiment(spec, modes=known_modes(config.modes), batch_sizes=config.batch_sizes)
        _run(context, platform, config, experiment)


@dg.op(out=dg.Out(dg.Nothing), pool=RUN_POOL)
def compare_prompts(context: dg.OpExecutionContext, config: PromptsConfig, platform: Platform) -> None:
    """Writes the same planned calls with several prompts, and measures them side by side."""
    with clear_failures():
        prompts = prompt_variants([platform.folder / Path(file) for file in config.prompts])
        spec = config.spec("prompt_test", config.model or None)
        _run(context, platform, config, prompts_experiment(spec, prompts, batch_size=config.batch_size))


@dg.op(out=dg.Out(dg.Nothing), pool=RUN_POOL)
def compare_models(context: dg.OpExecutionContext, config: ModelsConfig, platform: Platform) -> None:
    """Has several models write the same planned calls, and measures them side by side."""
    with clear_failures():
        experiment = models_experiment(config.spec("bakeoff"), config.models, batch_size=config.batch_size)
        _run(context, platform, config, experiment, unload_between=config.unload)


def _run(
    context: dg.OpExecutionContext,
    platform: Platform,
    config: ExperimentConfig,
    experiment: Experiment,
    *,
    unload_between: bool = False,
) -> None:
    folder = state_folder(platform.folder) / "experiments" / experiment.spec.name

    def tell(trial: TrialResult) -> None:
        if trial.measures is None:
            context.log.warning(f"{trial.variant.name}: not measured. {trial.reason}")
        else:
            context.log.info(f"{trial.variant.name}: kept {trial.measures.kept} of {trial.measures.asked}")

    comparison = run_experiment(
        experiment,
        library=platform.library(experiment.spec.domain),
        settings=platform.settings,
        folder=folder,
        fresh=config.fresh,
        unload_between=unload_between,
        environ=os.environ,
        on_trial=tell,
        on_progress=lambda _variant, _progress: None,
        on_notice=context.log.info,
        fleet=platform.fleet_servers,
    )
    context.add_output_metadata(
        {
            "comparison": dg.MetadataValue.md(markdown_table(comparison)),
            "page": dg.MetadataValue.path(folder / "results.html"),
            "csv": dg.MetadataValue.path(folder / "results.csv"),
            "machine": dg.MetadataValue.text("\n".join(comparison.system.lines())),
            "scripted": comparison.is_scripted,
            "variants": len(comparison.trials),
            "not_measured": len(comparison.failed),
        }
    )
    if len(comparison.failed) == len(comparison.trials):
        reasons = "; ".join(f"{trial.variant.name}: {trial.reason}" for trial in comparison.failed)
        raise dg.Failure(description=f"no variant could be tried. {reasons}", allow_retries=False)


@dg.job(description="Compare ways of writing calls: batch sizes and modes, the same plans for all.")
def bench_modes() -> None:
    """`tip bench modes`."""
    compare_modes()


@dg.job(description="Compare wordings of the prompt over the same scenarios.")
def prompt_test() -> None:
    """`tip prompt-test`."""
    compare_prompts()


@dg.job(description="Compare models over the same scenarios.")
def bakeoff() -> None:
    """`tip bakeoff`."""
    compare_models()


EXPERIMENT_JOBS = [bench_modes, prompt_test, bakeoff]
