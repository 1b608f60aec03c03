"""Prompt variants: those that come with tip, and those a person wrote in YAML files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tip_assets.experiments.variants import CURRENT_PROMPT, PromptVariant
from tip_assets.planning.library.located_yaml import MAX_FILE_BYTES
from tip_resources.domain.codec import from_builtins
from tip_resources.domain.failures import BadInput

_FIELDS = {"name", "system", "append"}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Shorter instructions leave more of a small context window to the calls; whether they do harm is the question.
_BRIEF = """\
You write realistic telephone calls between a contact-centre agent and a customer, one per call plan.
Follow each plan's intent path in order, use its facts exactly, and keep the exchanges within its two numbers.
The customer verifies who they are with the personal facts given, in a spoken form. Invent no other names or
numbers. The agent speaks first. No stage directions, no placeholders, no sentence shared between calls.

Answer with JSON only, in the order of the plans:
{"calls": [{"call": 1, "turns": [{"speaker": "agent", "text": "..."}, {"speaker": "customer", "text": "..."}]}]}
"""

# Models write longer and more even turns than people speak, which is what the realism grade marks down most.
_SPOKEN = """\
Write speech, not prose: most turns are one short sentence or less, their lengths differ widely, and some are a
single word. People use contractions, start over, trail off and acknowledge with "okay" or "mm-hm".
"""

BUILT_IN = (
    CURRENT_PROMPT,
    PromptVariant(name="brief", system=_BRIEF),
    PromptVariant(name="spoken", append=_SPOKEN),
)


def prompt_variants(files: Sequence[Path]) -> tuple[PromptVariant, ...]:
    """The variants to compare: the built-in ones, or the current prompt against those of `files`.

    Raises:
        BadInput: A file cannot be used, or two variants have one name.
    """
    prompts = (CURRENT_PROMPT, *(read_prompt(path) for path in files)) if files else BUILT_IN
    seen: set[str] = set()
    for prompt in prompts:
        if prompt.name in seen:
            raise BadInput(f"two prompt variants are called {prompt.name!r}.", mend="Give each a name of its own.")
        seen.add(prompt.name)
    return prompts


def read_prompt(path: Path) -> PromptVariant:
    """One variant from a YAML file: `name`, and `system` (replaces the system message) or `append`.

    Raises:
        BadInput: The file cannot be read, or says something else.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read the file: {error.strerror}.", where=str(path)) from error
    if len(data) > MAX_FILE_BYTES:
        raise BadInput(f"the file is larger than {MAX_FILE_BYTES} bytes.", where=str(path))
    try:
        tree = yaml.load(data, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise BadInput(f"not valid YAML: {getattr(error, 'problem', None) or error}.", where=where) from error
    example = "Write name: mine, and system: | or append: | with the text below it."
    if not isinstance(tree, dict) or not set(tree) <= _FIELDS:
        raise BadInput("not a prompt variant.", where=str(path), mend=example)
    variant = from_builtins(tree, PromptVariant, where=str(path))
    if not variant.name.strip() or (variant.system is None) == (variant.append is None):
        raise BadInput("a prompt variant has a name, and either system or append.", where=str(path), mend=example)
    return variant
