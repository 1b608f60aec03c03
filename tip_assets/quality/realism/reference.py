"""The reference calls ours are held against: the user's own where there are any, else forty that come with tip.

The built-in calls are hand-written by the makers of tip in the manner of contact-centre speech. They are no
recordings: a distance to them tells of style, not of truth. docs/realism.md says how to bring calls of your own.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from tip_assets.quality.metrics.sampling import sample_of_calls
from tip_resources.domain.codec import conversation_from_json
from tip_resources.domain.conversation import Conversation, Speaker, Turn
from tip_resources.domain.failures import BadInput
from tip_resources.settings.models import Settings
from tip_resources.storage.jsonl import BadLine, read_conversations

# Files dropped here, below the project folder, are the reference when quality.reference says nothing else.
USER_FOLDER = Path("config") / "reference"
BUILT_IN_NAME = "built-in reference (hand-written by the makers of tip, no recordings: it tells style, not truth)"
_SUFFIXES = (".jsonl", ".json")
_SPEAKERS: dict[str, Speaker] = {"A": "agent", "C": "customer"}
_SMALLEST = 'A line is {"id": "1", "turns": [{"speaker": "agent", "text": "..."}, ...]}; docs/realism.md shows more.'


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is shown with every figure that depends on it; `left_out` counts lines that were no calls.

    Of many calls it holds a sample, the same one every time, and the name says so: memory does not grow with them.

    `trouble` says why there are no calls, and how to mend that; empty where there are some.
    """

    name: str
    is_built_in: bool
    conversations: tuple[Conversation, ...]
    left_out: int = 0
    trouble: str = ""


def reference_calls(settings: Settings, home: Path) -> Reference:
    """The calls of `quality.reference`, else those in config/reference/, else the built-in ones.

    Args:
        settings: The settings as they are now.
        home: The project folder; a relative path of the setting starts there.

    Raises:
        BadInput: What the setting names is not there, or no line of the user's files is a call. The built-in
            calls never stand in for a reference that was asked for and cannot be read.
    """
    if settings.quality.reference:
        named = home / settings.quality.reference
        if not named.exists():
            raise BadInput(
                "there is no such file or folder.",
                where=f"quality.reference: {named}",
                mend="Name a JSONL file or a folder of them, or leave the setting empty.",
            )
        return _imported(named)
    folder = home / USER_FOLDER
    return _imported(folder) if _files_of(folder) else built_in_reference()


def reference_or_none(settings: Settings, home: Path) -> Reference:
    """As `reference_calls`; a reference that cannot be read is none, and says why.

    For the figures of a set: they are left out with the reason, and the set is made all the same.
    """
    try:
        return reference_calls(settings, home)
    except BadInput as error:
        return Reference(name="none: it cannot be read", is_built_in=False, conversations=(), trouble=str(error))


@cache
def built_in_reference() -> Reference:
    """The forty calls that come with tip."""
    folder = files("tip_assets.quality.realism") / "calls"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".txt"))
    calls = (call for name in names for call in _read_text((folder / name).read_text(encoding="utf-8"), name[:-4]))
    return Reference(name=BUILT_IN_NAME, is_built_in=True, conversations=tuple(calls))


def _read_text(text: str, domain: str) -> Iterator[Conversation]:
    """Calls of a text file: a line `== title` opens one, then a line a turn, `A:` the agent's, `C:` the customer's."""
    for number, block in enumerate(text.split("\n== ")[1:], start=1):
        _, *lines = block.strip().splitlines()
        turns = tuple(Turn(speaker=_SPEAKERS[line[0]], text=line[3:]) for line in lines)
        yield Conversation(id=f"reference/{domain}/{number:02d}", domain=domain, turns=turns)


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
    return [path] if path.exists() else []


def _imported(path: Path) -> Reference:
    left_out = 0

    def calls() -> Iterator[Conversation]:
        nonlocal left_out
        for file in _files_of(path):
            for item in _read_file(file):
                if isinstance(item, BadLine):
                    left_out += 1
                else:
                    yield item

    sample = sample_of_calls(calls())
    if not sample.items:
        what = f"none of its {left_out} lines is a call." if left_out else "there are no calls in it."
        raise BadInput(what, where=str(path), mend=_SMALLEST)
    name = path.name if sample.is_whole else f"{path.name} ({sample.in_words()})"
    return Reference(name=name, is_built_in=False, conversations=sample.items, left_out=left_out)


def _read_file(file: Path) -> Iterator[Conversation | BadLine]:
    """JSONL line by line; a .json file holds one call or a list of them."""
    if file.suffix == ".jsonl":
        yield from read_conversations(file)
        return
    try:
        document = msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise BadInput(f"cannot read the file: {error.strerror}.", where=str(file)) from error
    except msgspec.DecodeError as error:
        raise BadInput(f"not JSON: {error}.", where=str(file)) from error
    for number, value in enumerate(document if isinstance(document, list) else [document], start=1):
        try:
            yield conversation_from_json(msgspec.json.encode(value), where=f"entry {number}")
        except BadInput as error:
            yield BadLine(number, str(error))
