"""Who judges a data set: nobody, the fleet, the paid API, or for a rehearsal a scripted server of its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tip_assets.quality.calibration.result import Calibration, Calibrations
from tip_assets.quality.judge_rubric import judge_rubric_version
from tip_assets.quality.judged_calls import Judges, JudgeTier, find_judges
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import PermanentFailure
from tip_resources.domain.grade import GradingTier
from tip_resources.settings.models import EndpointSettings, ModelSettings, Settings

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers


class NoJudge(PermanentFailure):
    """Nobody came to judge while it was waited for; the message says what was tried and what to do."""


@contextmanager
def judges_of_set(
    spec: DatasetSpec, tier: GradingTier, settings: Callable[[], Settings], fleet: "FleetServers | None"
) -> Iterator[Judges | None]:
    """Who judges the set for as long as the block runs; None where the local tier grades.

    A set that asked for rehearsal is judged by the scripted server and by it alone. Others wait for a judge as long as
    generation waits for a model (engine.unavailable_limit_seconds; not for a paid API), and never fall back on another
    tier.

    Raises:
        NoJudge: Nobody came.
    """
    if tier == "local":
        yield None
        return
    if spec.rehearsal:
        with scripted_judges(settings()) as judges:
            yield judges
        return
    yield _waited_for("openai" if tier == "openai" else "network", settings(), fleet)


@contextmanager
def scripted_judges(settings: Settings) -> Iterator[Judges]:
    """A scripted server of our own that answers the form of a judge's question; its grades mean nothing."""
    from tip_resources.rehearsal.process import rehearsal_process

    with rehearsal_process(*settings.models.rehearsal_options) as url:
        only = ModelSettings(endpoints=(EndpointSettings(url=url, name="rehearsal"),), probe_localhost=False)
        yield find_judges("network", settings.model_copy(update={"models": only}), environ={}, rehearsal=True)


def calibration_of(judges: Judges, kept: Calibrations) -> Calibration | None:
    """The judge's calibration with the rubric it is asked by; None when there is none."""
    return kept.find(judges.model, judges.tier, judge_rubric_version())


def _waited_for(tier: JudgeTier, settings: Settings, fleet: "FleetServers | None") -> Judges:
    from tip_resources.llm.endpoints import NoEndpoint

    # A machine may still be switched on; a paid API is set up or it is not.
    patience = 0.0 if tier == "openai" else settings.engine.unavailable_limit_seconds
    try:
        return find_judges(tier, settings, environ=os.environ, fleet=fleet, patience_seconds=patience)
    except NoEndpoint as nobody:
        mend = "Start a judge (its model: models.by_role.judge), or launch with tier local in the launchpad."
        raise NoJudge(f"{nobody}\nNothing was graded in another way instead. {mend}") from nobody
