"""How many requests the endpoints of an engine take at once, as it stands now."""

from tip_resources.llm.answering import AnswersRequests


def slots_of(engine: AnswersRequests) -> int:
    """The limits of all endpoints that are in use, at least 1."""
    return max(1, sum(status.limit for status in engine.status() if status.standing not in ("out", "broken")))
