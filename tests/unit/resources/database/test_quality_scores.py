"""The grades of delivered calls, replaced as a whole."""

from sqlalchemy import Engine, select

from tip_resources.database.quality_scores import QualityScores
from tip_resources.database.tables import conversations, quality_scores
from tip_resources.domain.grade import Grade


def delivered(engine: Engine, dataset: str, *ids: str) -> None:
    with engine.begin() as connection:
        rows = [{"dataset": dataset, "conversation_id": one, "normalized_fingerprint": one} for one in ids]
        connection.execute(conversations.insert(), rows)


def stored(engine: Engine) -> list[tuple[str, str, float, str, dict]]:
    scores, calls = quality_scores.c, conversations.c
    query = select(calls.dataset, calls.conversation_id, scores.overall, scores.tier, scores.metrics)
    with engine.connect() as connection:
        rows = connection.execute(query.join(conversations, scores.conversation == calls.id))
        return sorted(tuple(row) for row in rows)


def grade(overall: float, **more) -> Grade:
    return Grade(realism=overall, coherence=overall, naturalness=overall, overall=overall, **more)


def test_a_call_may_have_two_grades_and_one_that_was_not_delivered_has_none(fresh_database: Engine) -> None:
    delivered(fresh_database, "one", "a", "b")
    second = grade(3.0, tier="network", grader="judge", rubric_version="judge-2+0", metrics={"flow": 0.5})
    kept = QualityScores(fresh_database).replace_dataset("one", [("a", grade(4.0)), ("x", grade(1.0)), ("a", second)])
    assert kept == 2
    assert stored(fresh_database) == [("one", "a", 3.0, "network", {"flow": 0.5}), ("one", "a", 4.0, "local", {})]


def test_replacing_leaves_nothing_of_before_and_other_sets_alone(fresh_database: Engine) -> None:
    delivered(fresh_database, "one", *(f"c{number}" for number in range(5_000)))
    delivered(fresh_database, "two", "c1")
    scores = QualityScores(fresh_database)
    assert scores.replace_dataset("two", [("c1", grade(5.0))]) == 1
    assert scores.replace_dataset("one", ((f"c{number}", grade(2.0)) for number in range(5_000))) == 5_000
    assert scores.replace_dataset("one", [("c7", grade(4.5))]) == 1
    assert [row[:3] for row in stored(fresh_database)] == [("one", "c7", 4.5), ("two", "c1", 5.0)]
    assert scores.replace_dataset("one", []) == 0
    assert [row[0] for row in stored(fresh_database)] == ["two"]
