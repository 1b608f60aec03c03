"""The words that surrogates are made of, and those they leave alone: surrogate_words.txt, read once."""

import functools
from importlib.resources import files


@functools.cache
def pool(name: str) -> tuple[str, ...]:
    """The words under the heading `[name]`, in the file's order, as written there."""
    text = (files("tip_assets.quality.pii") / "surrogate_words.txt").read_text(encoding="utf-8")
    section = text.split(f"[{name}]\n", 1)[1].split("\n[", 1)[0]
    return tuple(word for line in section.splitlines() if not line.startswith("#") for word in line.split())


@functools.cache
def words_under(name: str) -> frozenset[str]:
    """The same as a set."""
    return frozenset(pool(name))
