"""One round of feedback: write, tell apart, propose, try, keep what helps. Files keep every round's outcome.

STATE/improve/NAME/rounds/0001.json   the outcome of a round, whole or not at all
STATE/improve/NAME/samples/           the calls that were written for it
config/recipes/NAME.yaml              the recipe as the last round left it
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tip_assets.generation.serving import ReadSettings
from tip_assets.planning.library.types import DomainLibrary
from tip_assets.planning.recipes import FOLDER, PLAIN, Recipe, read_recipe, write_recipe
from tip_assets.quality.realism.balance import Rebalancing, rebalancings, shares_heard
from tip_assets.quality.realism.balance_effects import measure_rebalancing
from tip_assets.quality.realism.changes import Change, proposals
from tip_assets.quality.realism.discriminator import Verdict, discriminate
from tip_assets.quality.realism.effects import Effect, measure_effect
from tip_assets.quality.realism.reference import Reference
from tip_assets.quality.realism.sampling import Sample, Sampler
from tip_resources.domain.codec import from_json, to_json
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.names import validate_dataset_name
from tip_resources.home import state_folder
from tip_resources.llm.prices import load_prices
from tip_resources.storage.atomic import write_atomically

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers

MOST_TRIALS = 4
# Of these; what is not needed for them is left to prompt and habits.
_MOST_REBALANCINGS = 2


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A point of the curve: a recipe, measured on scenarios it was not chosen by.

    `happenings` are shares of calls (happenings.py); empty where too few calls could be told.
    """

    verdict: Verdict
    grade: float | None
    rejected: int
    kept: int
    happenings: dict[str, float] = {}


class TriedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was tried, and what came of it; `why` says of a re-balancing what is missing."""

    name: str
    effect: Effect
    is_kept: bool
    why: str = ""


class RoundOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a round found and did. `after` is measured on the next round's scenarios, `before` on its own."""

    number: int
    reference: str
    is_built_in: bool
    is_scripted: bool
    models: tuple[str, ...]
    spec: DatasetSpec
    recipe_before: Recipe
    recipe_after: Recipe
    before: Point
    after: Point
    tried: tuple[TriedChange, ...]
    note: str = ""
    reference_happenings: dict[str, float] = {}
    finished_at: str = ""


class Rounds:
    """The rounds of one recipe, as they are kept below a project folder."""

    def __init__(self, name: str, home: Path) -> None:
        self.name, self._home = validate_dataset_name(name), home
        self.folder = state_folder(home) / "improve" / self.name

    def outcomes(self) -> list[RoundOutcome]:
        """Of all rounds so far, in order.

        Raises:
            BadInput: A file cannot be read as an outcome.
        """
        files = sorted((self.folder / "rounds").glob("*.json"))
        return [from_json(file.read_bytes(), RoundOutcome, where=str(file)) for file in files]

    def first_recipe(self) -> Recipe:
        """What the first round begins with: the recipe of that name where somebody wrote one, else the plain one.

        Raises:
            BadInput: The recipe's file cannot be used.
        """
        if (self._home / FOLDER / f"{self.name}.yaml").exists():
            return read_recipe(self.name, self._home)
        return msgspec.structs.replace(PLAIN, name=self.name)

    def keep(self, outcome: RoundOutcome) -> None:
        """The recipe first: a round that is written down has its recipe.

        Raises:
            BadInput: Another run has made the round meanwhile.
        """
        file = self.folder / "rounds" / f"{outcome.number:04d}.json"
        if file.exists():
            raise BadInput("another run made this round meanwhile.", where=str(file), mend="Run one round at a time.")
        write_recipe(outcome.recipe_after, self._home)
        write_atomically(file, to_json(outcome))

    def sampler(
        self,
        library: DomainLibrary,
        settings: ReadSettings,
        *,
        on_notice: Callable[[str], None],
        fleet: "FleetServers | None" = None,
    ) -> Sampler:
        """Writes this recipe's samples; a budget holds for each round as a whole."""
        return Sampler(
            library,
            settings,
            self.folder / "samples",
            on_notice=on_notice,
            prices=load_prices(self._home),
            budget_share=1 / (MOST_TRIALS + 2),
            fleet=fleet,
        )


def run_round(
    rounds: Rounds,
    spec: DatasetSpec,
    *,
    library: DomainLibrary,
    sampler: Sampler,
    reference: Reference,
    on_step: Callable[[str], None],
) -> RoundOutcome:
    """The next round: its outcome is kept, and the recipe with it.

    Each change is tried on the recipe as it stands by then; those dropped in any earlier round are not tried again.

    Args:
        spec: What calls to write; the round's number is added to its seed, so every round sees other scenarios.
        on_step: Told what is being done.

    Raises:
        BadInput: Earlier rounds were of another domain or reference, and so make no curve with this one.
        NoEndpoint: No model answers.
    """
    earlier = rounds.outcomes()
    _check_alike(earlier, spec, reference)
    number = len(earlier) + 1
    start = earlier[-1].recipe_after if earlier else rounds.first_recipe()
    own, following = (msgspec.structs.replace(spec, seed=spec.seed + place) for place in (number - 1, number))
    on_step(f"round {number}: writing {spec.count} calls under the recipe as it stands")
    first = sampler.write(own, start)
    before = _point(first, reference)
    dropped = frozenset(tried.name for outcome in earlier for tried in outcome.tried if not tried.is_kept)
    missing = rebalancings(
        first,
        reference.conversations,
        library,
        # Kept ones too: what a weight made of it is in the plan since then.
        tried={tried.name for outcome in earlier for tried in outcome.tried},
        most=_MOST_REBALANCINGS,
    )
    changes = (*proposals(before.verdict.telling, start, dropped, MOST_TRIALS - len(missing)), *missing)
    recipe, tried = _trials(changes, own, start, first, sampler=sampler, reference=reference, on_step=on_step)
    recipe = msgspec.structs.replace(recipe, rounds=number)
    on_step(f"round {number}: measuring the recipe on scenarios it was not chosen by")
    outcome = RoundOutcome(
        number=number,
        reference=reference.name,
        is_built_in=reference.is_built_in,
        is_scripted=first.is_scripted,
        models=first.models,
        spec=spec,
        recipe_before=start,
        recipe_after=recipe,
        before=before,
        after=_point(sampler.write(following, recipe), reference),
        tried=tried,
        note=_note(before.verdict, changes),
        reference_happenings=dict(shares_heard(reference.conversations)),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    rounds.keep(outcome)
    return outcome


def _trials(
    changes: tuple[Change | Rebalancing, ...],
    spec: DatasetSpec,
    recipe: Recipe,
    sample: Sample,
    *,
    sampler: Sampler,
    reference: Reference,
    on_step: Callable[[str], None],
) -> tuple[Recipe, tuple[TriedChange, ...]]:
    tried: list[TriedChange] = []
    for change in changes:
        changed = change.apply(recipe) if isinstance(change, Change) else change.apply(recipe, spec.domain)
        on_step(f"trying: {change.name}")
        trial = sampler.write(spec, changed)
        if isinstance(change, Change):
            mends = {feature for feature, _ in change.mends}
            effect = measure_effect(sample, trial, reference.conversations, mends=mends, tried=len(changes))
        else:
            effect = measure_rebalancing(sample, trial, reference.conversations, change, tried=len(changes))
        why = change.why if isinstance(change, Rebalancing) else ""
        tried.append(TriedChange(name=change.name, effect=effect, is_kept=effect.is_kept, why=why))
        on_step(f"{'kept' if effect.is_kept else 'dropped'}: {change.name}")
        if effect.is_kept:
            recipe, sample = changed, trial
    return recipe, tuple(tried)


def _point(sample: Sample, reference: Reference) -> Point:
    grades = list(sample.grades.values())
    return Point(
        verdict=discriminate(list(sample.calls.values()), reference.conversations),
        grade=round(sum(grades) / len(grades), 3) if grades else None,
        rejected=sample.rejected,
        kept=len(sample.calls),
        happenings=dict(shares_heard(list(sample.calls.values()))),
    )


def _note(verdict: Verdict, changes: tuple[Change | Rebalancing, ...]) -> str:
    if changes:
        return ""
    if verdict.reason:
        return f"nothing was tried: {verdict.reason}"
    if not verdict.telling:
        return "nothing was tried: no feature differs from the reference by more than chance"
    return "nothing was tried: every change known for what gives us away was tried before"


def _check_alike(earlier: list[RoundOutcome], spec: DatasetSpec, reference: Reference) -> None:
    if not earlier:
        return
    last = earlier[-1]
    same = {"name": spec.name, "requested_by": spec.requested_by, "created_at": spec.created_at, "query": spec.query}
    if msgspec.structs.replace(last.spec, **same) != spec:
        raise BadInput(
            f"earlier rounds of the recipe {last.recipe_after.name} wrote other calls (domain, count, seed, ...).",
            mend="Go on with the same specification, or give the recipe another --name.",
        )
    if last.reference != reference.name:
        raise BadInput(
            f"earlier rounds were held against {last.reference}, this one would be against {reference.name}.",
            mend="Give the recipe another --name, or put the reference back.",
        )
