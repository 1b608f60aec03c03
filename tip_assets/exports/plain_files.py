"""Calls of a plain JSONL file on their way to an export, without Dagster or database.

Lines that were never scrubbed are scrubbed here by the facts they carry and by patterns; lines that are
not calls are counted and skipped.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from tip_assets.quality.pii.extras import PERSONAL_FACTS
from tip_assets.quality.scrubbing import with_spans
from tip_resources.domain.codec import from_builtins
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.persona import PersonalFact
from tip_resources.storage.jsonl import BadLine, read_conversations

# A file that is no JSONL at all would otherwise fill the memory with its lines.
KEPT_BAD_LINES = 1_000


class PlainCalls:
    """Iterate once; the counts are those of the lines read so far.

    Args:
        path: JSONL, one call per line.
        scrubs: Whether calls without spans are scrubbed; False for a raw export.
        on_line: Called after every line, for a progress bar.
    """

    def __init__(self, path: Path, *, scrubs: bool, on_line: Callable[[], object]) -> None:
        self._path, self._scrubs, self._on_line = path, scrubs, on_line
        self.lines = self.bad_lines = self.scrubbed_here = self.spans_found_here = self.without_facts = 0
        self.first_bad_lines: list[BadLine] = []

    def __iter__(self) -> Iterator[Conversation]:
        """The calls, with spans unless the export is raw.

        Raises:
            BadInput: The file cannot be read, or not one of its lines is a call.
        """
        for line in read_conversations(self._path):
            self.lines += 1
            if isinstance(line, BadLine):
                self._note(line)
            else:
                yield self._scrubbed(line) if self._scrubs and line.annotations.spans is None else line
            self._on_line()
        if self.bad_lines == self.lines:
            first = f"; the first: {self.first_bad_lines[0].reason}" if self.first_bad_lines else ""
            raise BadInput(
                f"not one of its {self.lines} lines is a call{first}" if self.lines else "there is no call in it.",
                where=str(self._path),
                mend='Each line needs at least {"id": "...", "turns": [{"speaker": "agent", "text": "..."}]}.',
            )

    def warnings(self) -> list[str]:
        """What the reader of the export must know about its input."""
        found = []
        if self.bad_lines:
            found.append(f"{self.bad_lines} of {self.lines} lines were not calls and are not in the export.")
        if self.scrubbed_here:
            found.append(
                f"{self.scrubbed_here} calls had not been scrubbed; {self.spans_found_here} places of personal "
                "data were found and replaced during the export."
            )
        if self.without_facts:
            found.append(
                f"For {self.without_facts} of them only patterns could be used, so names and other personal data "
                "may remain. Run `tip scrub` first and look at its report."
            )
        return found

    def _note(self, line: BadLine) -> None:
        self.bad_lines += 1
        if len(self.first_bad_lines) < KEPT_BAD_LINES:
            self.first_bad_lines.append(line)

    def _scrubbed(self, conversation: Conversation) -> Conversation:
        facts = _facts(conversation)
        found = with_spans(conversation, facts)
        self.scrubbed_here += 1
        self.spans_found_here += len(found.annotations.spans or ())
        self.without_facts += not facts
        return found


def _facts(conversation: Conversation) -> tuple[PersonalFact, ...]:
    """What `tip generate` left of its personas; none when the field is missing or somebody else's."""
    try:
        return from_builtins(conversation.annotations.extra.get(PERSONAL_FACTS, ()), tuple[PersonalFact, ...])
    except BadInput:
        return ()
