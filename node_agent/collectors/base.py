"""What a collector is."""

from typing import Protocol, TypeVar

Section_co = TypeVar("Section_co", covariant=True)


class NoData(Exception):
    """The machine has no such thing, or does not tell; the message says which. No error."""


class Collector(Protocol[Section_co]):
    """Measures one section of the report. Reads only, needs no root, and starts no program it does not end.

    `collect` may block; it is called in a thread of its own and given up after `timeout_seconds`.
    """

    name: str
    timeout_seconds: float

    def collect(self) -> Section_co:
        """The section now.

        Raises:
            NoData: There is nothing to measure here.
        """
        ...
