"""Programs of other machines: what they printed when they were run there, in their own format."""

from collections.abc import Mapping, Sequence

from node_agent.collectors.activity_reading import NotInstalled, Unknown


class RecordedPrograms:
    """Stands in for running programs: a command line gives what was recorded for it.

    A program without any recording is not installed; one with recordings for other arguments fails.
    """

    def __init__(self, recordings: Mapping[str, str]) -> None:
        self._recordings = recordings
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str]) -> str:
        line = " ".join(argv)
        self.asked.append(line)
        if line in self._recordings:
            return self._recordings[line]
        if any(known.split()[0] == argv[0] for known in self._recordings):
            raise Unknown(f"{argv[0]} failed with exit status 1")
        raise NotInstalled(f"{argv[0]} is not installed")
