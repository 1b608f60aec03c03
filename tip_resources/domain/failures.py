"""The two kinds of failure, as types.

A caller decides by type alone whether trying again can help. Messages say what is wrong, where, and how
to mend it. Failures of one subsystem (an endpoint, a sensor) derive from these where they live.
"""

from collections.abc import Iterator


class PermanentFailure(Exception):
    """Trying again will not help; the message says how to mend it."""


class TransientFailure(Exception):
    """Trying again later may help."""


class BadInput(PermanentFailure):
    """What a person, a file, a model or the network gave us cannot be used.

    Args:
        what: What is wrong, in one sentence.
        where: File and line, field, or option it was found in; empty when there is only one place.
        mend: What to do about it; empty when `what` already says so.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = what
        self.where = where
        self.mend = mend
        location = f"{where}: " if where else ""
        advice = f" {mend}" if mend else ""
        super().__init__(f"{location}{what}{advice}")


def with_causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it came from, each once."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__
