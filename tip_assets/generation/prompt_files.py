"""The words that calls were asked with, kept under the hash that their provenance names.

A file holds what is hashed, byte by byte, so whoever doubts it can hash it again. It has the system text, the answer's
schema and the glossary: nothing of a persona, a fact or a call.
"""

import json
from typing import Any

from tip_assets.generation.prompts import PROMPT_TEMPLATE, CallPrompt, words_hash
from tip_assets.generation.two_agent.prompts import TWO_AGENT_HASH, TWO_AGENT_TEMPLATE, TWO_AGENT_WORDS
from tip_resources.domain.dataset_spec import GenerationMode
from tip_resources.domain.failures import BadInput
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import object_exists, put_object, read_object


def keep_prompt(prompt: CallPrompt, mode: GenerationMode, layout: Layout) -> str:
    """Keeps the words that calls of this mode are asked with; gives their hash."""
    found, words = (TWO_AGENT_HASH, TWO_AGENT_WORDS) if mode == "two_agent" else (prompt.hash, prompt.words)
    file = layout.prompt_file(found)
    if not object_exists(file):
        put_object(file, words)
    return found


def kept_prompt(prompt_hash: str, layout: Layout) -> str | None:
    """The words of a prompt for a person; None where they were not kept.

    Raises:
        BadInput: The file is not what was kept: its hash differs.
    """
    file = layout.prompt_file(prompt_hash)
    if not prompt_hash.isalnum() or not object_exists(file):
        return None
    words = read_object(file)
    if words_hash(words) != prompt_hash:
        raise BadInput("the prompt's file was changed: its hash differs from its name.", where=str(file))
    return _readable(json.loads(words))


def _readable(words: list[Any]) -> str:
    template, *parts = words
    if template == TWO_AGENT_TEMPLATE:
        return "\n".join(f"SYSTEM TEXT of the {role}\n{text}" for role, text in parts[0].items())
    text, schema, meanings = parts
    glossary = "\n".join(f"- {word}: {meaning}" for word, meaning in sorted(meanings.items()))
    return f"SYSTEM TEXT\n{text}\nGLOSSARY\n{glossary}\n\nANSWER SCHEMA\n{json.dumps(schema)}\n"


def template_of(mode: GenerationMode) -> str:
    """The name and version of the prompt that calls of this mode are asked with."""
    return TWO_AGENT_TEMPLATE if mode == "two_agent" else PROMPT_TEMPLATE
