"""Writes a small set of calls under a recipe, as the assets would, to see what the recipe does."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from upath import UPath

from tip_assets.generation.glossary import prompt_by
from tip_assets.generation.serving import ReadSettings
from tip_assets.generation.spending import Spending
from tip_assets.generation.writing import write_plans
from tip_assets.planning.library.types import DomainLibrary
from tip_assets.planning.plan import call_plan_at
from tip_assets.planning.recipes import Recipe
from tip_assets.planning.scenario_weights import EVEN
from tip_assets.quality.grading import grade_locally
from tip_resources.domain.codec import to_json
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.scenario import Scenario
from tip_resources.llm.prices import PriceList
from tip_resources.storage.checkpoint import Checkpoint

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: calls by their place in the plan, not scrubbed; their grades; what was refused on the way;
    the scenario of every call that was asked for; and the least grade (0-5) that is delivered."""

    asked: int
    calls: Mapping[int, Conversation]
    grades: Mapping[int, float]
    rejected: int
    duplicates: int
    models: tuple[str, ...]
    is_scripted: bool
    scenarios: tuple[Scenario, ...] = ()
    least_grade: float = 0.0

    @property
    def passed(self) -> frozenset[int]:
        """Places of the calls that are good enough to deliver."""
        return frozenset(index for index in self.calls if self.grades[index] >= self.least_grade)


class Sampler:
    """Writes samples; one that was written before, whole or in part, is gone on with.

    Args:
        folder: Where unfinished and finished samples are kept.
        on_notice: Told why the writing waits or goes elsewhere.
        prices: What tokens cost, for a specification with a budget of money.
        budget_share: The share of the specification's budget that one sample may spend.
    """

    def __init__(
        self,
        library: DomainLibrary,
        settings: ReadSettings,
        folder: Path,
        *,
        on_notice: Callable[[str], None],
        prices: PriceList,
        budget_share: float = 1.0,
        fleet: "FleetServers | None" = None,
    ) -> None:
        self._library, self._settings, self._folder = library, settings, folder
        self._on_notice, self._fleet = on_notice, fleet
        self._prices, self._budget_share = prices, budget_share

    def write(self, spec: DatasetSpec, recipe: Recipe) -> Sample:
        """The calls of `spec` under `recipe`: the same scenarios and people for every recipe of the same weights.

        Raises:
            NoEndpoint: No model answers.
            PermanentFailure: No call could be had for a reason that asking again cannot mend.
        """
        checkpoint = Checkpoint(UPath(self._folder / _key(spec, recipe)))
        weights = recipe.weights_for(spec.domain)
        plans = [recipe.apply(call_plan_at(spec, self._library, index, weights)) for index in range(spec.count)]
        written = write_plans(
            spec,
            lambda: plans,
            prompt=prompt_by(self._library, recipe),
            settings=self._settings,
            patience_seconds=0.0,
            checkpoint=checkpoint,
            delivered=None,
            on_endpoints=lambda _: None,
            on_progress=lambda _: None,
            on_notice=lambda notice: self._on_notice(notice.text),
            spending=self._spending(spec, checkpoint),
            fleet=self._fleet,
        )
        kept = {call.index or 0: call for call in written.conversations()}
        reasons = [reject.reason for reject in checkpoint.rejects()]
        return Sample(
            asked=spec.count,
            calls=kept,
            grades={index: grade_locally(call, plans[index]).overall for index, call in kept.items()},
            rejected=len(reasons),
            duplicates=reasons.count("duplicate"),
            models=tuple(sorted({endpoint.model for endpoint in written.endpoints})),
            is_scripted=any(endpoint.scripted for endpoint in written.endpoints),
            scenarios=tuple(plan.scenario for plan in plans),
            least_grade=5 * self._settings().quality.minimum_score,
        )

    def _spending(self, spec: DatasetSpec, checkpoint: Checkpoint) -> Spending:
        earlier = checkpoint.usages().values()
        return Spending(spec.budget, self._prices, earlier=earlier, share=self._budget_share)


def _key(spec: DatasetSpec, recipe: Recipe) -> str:
    """By what is written, not by what the recipe is called."""
    shape = [msgspec.structs.replace(spec, requested_by="", created_at=""), recipe.prompt, recipe.habits]
    if recipe.weights_for(spec.domain) != EVEN:  # samples written before there were weights keep their place
        shape.append(recipe.weights_for(spec.domain))
    return f"{spec.seed}-{hashlib.blake2b(to_json(shape), digest_size=8).hexdigest()}"
