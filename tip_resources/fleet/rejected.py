"""What a node sent and was not taken: counted by kind, with the last reason, for the last hour."""

from collections import Counter, deque

_KEEP_SECONDS = 3600.0
# At one report every 10 s, an hour has 360; what is asked more often than that counts for a shorter time.
_MOST = 360


class Rejected:
    """Of one node. Times are by our steady clock."""

    def __init__(self) -> None:
        self._kinds: deque[tuple[float, str]] = deque(maxlen=_MOST)
        self._last_reason = ""

    def note(self, kind: str, reason: str, at_seconds: float) -> None:
        """One more, for example of the kind "bad_report"."""
        self._kinds.append((at_seconds, kind))
        self._last_reason = reason

    def counts(self, now_seconds: float) -> Counter[str]:
        """How many there were within the hour, by kind."""
        while self._kinds and now_seconds - self._kinds[0][0] > _KEEP_SECONDS:
            self._kinds.popleft()
        return Counter(kind for _, kind in self._kinds)

    def words(self, now_seconds: float) -> str:
        """For people: "2 reports rejected within the hour (2 bad_report), the last: ..."; empty for none."""
        counts = self.counts(now_seconds)
        if not counts:
            return ""
        number = counts.total()
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        many = "report" if number == 1 else "reports"
        return f"{number} {many} rejected within the hour ({kinds}), the last: {self._last_reason}"
