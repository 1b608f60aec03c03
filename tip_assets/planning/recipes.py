"""A recipe: what is changed about how calls are asked for, beyond tip's own prompt, habits and even coverage.

Rounds of `tip improve` make recipes and keep them as config/recipes/NAME.yaml; the setting generation.recipe, empty by
default, has data sets written by one. The text goes into the prompt's hash, the habits into the personas, the weights
into the scenarios, so calls written by another recipe are never mixed in from a checkpoint.
"""

from pathlib import Path

import msgspec
import yaml

from tip_assets.planning.domain_library import USER_FOLDER, load_library
from tip_assets.planning.library.located_yaml import Located, read_located
from tip_assets.planning.library.types import DomainLibrary
from tip_assets.planning.scenario_weights import EVEN, MOST, NONE, ScenarioWeights
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import from_builtins, to_builtins
from tip_resources.domain.failures import BadInput
from tip_resources.domain.names import validate_dataset_name
from tip_resources.domain.persona import Persona
from tip_resources.storage.atomic import write_atomically

FOLDER = Path("config") / "recipes"
_MOST_HESITATION = 0.95
_PATIENCE = (0.05, 1.0)


class HabitChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is changed about how people talk; the defaults change nothing.

    `caller_hesitation` and `agent_hesitation` are factors; `fillers` and `spellings` are added to everybody's;
    `patience_spread` is added to one caller in three and taken from another; of `behaviours` each caller gets one.
    """

    caller_hesitation: float = 1.0
    agent_hesitation: float = 1.0
    fillers: tuple[str, ...] = ()
    spellings: dict[str, str] = {}
    patience_spread: float = 0.0
    behaviours: tuple[str, ...] = ()


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`rounds` is how many rounds of feedback made it; `prompt` holds lines added to the system message; `weights`
    say by domain what happens more often in its calls, so that sets of other domains stay as they are.
    """

    name: str = ""
    rounds: int = 0
    prompt: tuple[str, ...] = ()
    habits: HabitChanges = HabitChanges()
    weights: dict[str, ScenarioWeights] = {}

    def weights_for(self, domain: str) -> ScenarioWeights:
        """How often things happen in calls of that domain."""
        return self.weights.get(domain, EVEN)

    def system_text(self, text: str) -> str:
        """The system message with the recipe's lines at its end."""
        return f"{text.rstrip()}\n\n{chr(10).join(self.prompt)}\n" if self.prompt else text

    def apply(self, plan: CallPlan) -> CallPlan:
        """The plan with the recipe's habits; scenario (planned by `weights_for`), names and facts stay as they are."""
        return msgspec.structs.replace(plan, customer=self.persona(plan.customer), agent=self.persona(plan.agent))

    def persona(self, persona: Persona) -> Persona:
        """The person with the recipe's habits."""
        changes = self.habits
        if changes == HabitChanges():
            return persona
        is_agent = persona.role == "agent"
        factor = changes.agent_hesitation if is_agent else changes.caller_hesitation
        habits = msgspec.structs.replace(
            persona.habits,
            hesitation=round(min(_MOST_HESITATION, persona.habits.hesitation * factor), 3),
            fillers=tuple(dict.fromkeys((*persona.habits.fillers, *changes.fillers))),
            spellings=persona.habits.spellings | changes.spellings,
        )
        if is_agent:
            return msgspec.structs.replace(persona, habits=habits)
        # By place in the plan, so that the same caller is the same person however often a set is made.
        low, high = _PATIENCE
        patience = persona.patience + changes.patience_spread * (-1, 0, 1)[persona.index % 3]
        experience = persona.experience
        if changes.behaviours:
            experience = f"{experience}; {changes.behaviours[persona.index % len(changes.behaviours)]}"
        return msgspec.structs.replace(
            persona, habits=habits, patience=round(min(high, max(low, patience)), 2), experience=experience
        )


PLAIN = Recipe()


def read_recipe(name: str, home: Path) -> Recipe:
    """The recipe of that name; an empty name is the plain one, which changes nothing.

    Raises:
        BadInput: There is no such recipe, or its file says something else.
    """
    if not name:
        return PLAIN
    path = home / FOLDER / f"{validate_dataset_name(name)}.yaml"
    if not path.is_file():
        raise BadInput(
            "there is no such recipe.",
            where=str(path),
            mend="Make one with `tip improve`, or set generation.recipe to nothing.",
        )
    tree = read_located(path)
    fields = tree.fields(allowed=Recipe.__struct_fields__)
    if "weights" in fields:
        for domain, weights in fields["weights"].fields().items():
            _check_weights(weights, _library(domain, weights, home))
    return msgspec.structs.replace(from_builtins(tree.plain(), Recipe, where=str(path)), name=name)


def _library(domain: str, weights: Located, home: Path) -> DomainLibrary:
    try:
        return load_library(domain, home / USER_FOLDER)
    except BadInput as error:
        if error.where:  # the domain's own file and line
            raise
        raise weights.error(error.what, error.mend) from error


def _check_weights(weights: Located, library: DomainLibrary) -> None:
    """Names have to be those of the domain, weights whole numbers; something has to be left of everything weighed.

    Raises:
        BadInput: With file, line and field.
    """
    known = {
        "templates": tuple(library.templates),
        "complications": (NONE, *library.complications),
        "resolutions": tuple(library.resolutions),
    }
    for field, found in weights.fields(allowed=tuple(known)).items():
        for weight in found.fields(allowed=known[field]).values():
            weight.whole_number(0, MOST)
    given = msgspec.convert(weights.plain(), ScenarioWeights)
    if not any(given.templates.get(name, 1) for name in library.templates):
        raise weights.error("every template weighs 0, so no call can be planned.", "Give one a weight of 1 or more.")


def write_recipe(recipe: Recipe, home: Path) -> Path:
    """Keeps the recipe under its name, and says where."""
    path = home / FOLDER / f"{validate_dataset_name(recipe.name)}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(to_builtins(recipe), allow_unicode=True, sort_keys=False, width=110)
    write_atomically(
        path, f"# Made by tip improve; used where the setting generation.recipe names it.\n{text}".encode()
    )
    return path


def weight_lines(recipe: Recipe) -> list[str]:
    """The weights as lines for a person; none where the recipe has none."""
    return [
        f"weights, {domain}, {field}: {', '.join(f'{name} {weight}' for name, weight in given.items())}"
        for domain, weights in recipe.weights.items()
        for field, given in to_builtins(weights).items()
        if given
    ]
