"""A recipe: what is changed about how calls are asked for, beyond tip's own prompt and habits.

Rounds of `tip improve` make recipes and keep them as config/recipes/NAME.yaml; the setting generation.recipe, empty by
default, has data sets written by one. The text goes into the prompt's hash, the habits into the personas, so calls
written by another recipe are never mixed in from a checkpoint.
"""

from pathlib import Path
from typing import Any

import msgspec
import yaml

from tip_assets.planning.library.located_yaml import MAX_FILE_BYTES
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import from_builtins, to_builtins
from tip_resources.domain.failures import BadInput
from tip_resources.domain.names import validate_dataset_name
from tip_resources.domain.persona import Persona
from tip_resources.storage.atomic import write_atomically

FOLDER = Path("config") / "recipes"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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
    """`rounds` is how many rounds of feedback made it; `prompt` holds lines added to the system message."""

    name: str = ""
    rounds: int = 0
    prompt: tuple[str, ...] = ()
    habits: HabitChanges = HabitChanges()

    def system_text(self, text: str) -> str:
        """The system message with the recipe's lines at its end."""
        return f"{text.rstrip()}\n\n{chr(10).join(self.prompt)}\n" if self.prompt else text

    def apply(self, plan: CallPlan) -> CallPlan:
        """The plan with the recipe's habits; scenario, names and facts stay as they are."""
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
    mend = "Make one with `tip improve`, or set generation.recipe to nothing."
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read the recipe: {error.strerror}.", where=str(path), mend=mend) from error
    if len(data) > MAX_FILE_BYTES:
        raise BadInput(f"the file is larger than {MAX_FILE_BYTES} bytes.", where=str(path))
    try:
        tree = yaml.load(data, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise BadInput(f"not valid YAML: {error}.", where=str(path)) from error
    return msgspec.structs.replace(from_builtins(tree, Recipe, where=str(path)), name=name)


def write_recipe(recipe: Recipe, home: Path) -> Path:
    """Keeps the recipe under its name, and says where."""
    path = home / FOLDER / f"{validate_dataset_name(recipe.name)}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(to_builtins(recipe), allow_unicode=True, sort_keys=False, width=110)
    write_atomically(
        path, f"# Made by tip improve; used where the setting generation.recipe names it.\n{text}".encode()
    )
    return path
