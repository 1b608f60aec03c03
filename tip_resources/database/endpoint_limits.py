"""What the engine learned about endpoints, kept for the next run: rows of endpoint_limits."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, Select, func, select
from sqlalchemy.dialects.postgresql import insert

from tip_resources.database.tables import endpoint_limits


class RememberedLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint and model. `age_seconds` by the database's clock, 0 when new; unknown times are None."""

    endpoint: str
    model: str
    limit: int
    tokens_per_second: float
    p95_first_token_ms: float | None = None
    p95_token_gap_ms: float | None = None
    reason: str = ""
    age_seconds: float = 0.0


class LimitStore:
    """Reads and writes endpoint_limits. `endpoint` is a shared address (llm/addresses.py)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remember(self, learned: RememberedLimit) -> None:
        """Keeps what was learned, in the place of what was known."""
        values = {
            "learned_limit": learned.limit,
            "tokens_per_second": learned.tokens_per_second,
            "p95_first_token_ms": learned.p95_first_token_ms,
            "p95_token_gap_ms": learned.p95_token_gap_ms,
            "reason": learned.reason,
        }
        new = insert(endpoint_limits).values(endpoint=learned.endpoint, model=learned.model, **values)
        keys = [endpoint_limits.c.endpoint, endpoint_limits.c.model]
        with self._engine.begin() as connection:
            connection.execute(
                new.on_conflict_do_update(index_elements=keys, set_={**values, "updated_at": func.now()})
            )

    def recall(self, endpoint: str, model: str) -> RememberedLimit | None:
        """What is known of an endpoint and model; None when nothing is."""
        columns = endpoint_limits.c
        with self._engine.connect() as connection:
            query = _query().where(columns.endpoint == endpoint, columns.model == model)
            row = connection.execute(query).one_or_none()
            return None if row is None else _remembered(row)

    def all(self) -> Sequence[RememberedLimit]:
        """Everything that is known, newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(_query().order_by(endpoint_limits.c.updated_at.desc()))
            return [_remembered(row) for row in rows]


def _query() -> Select[Any]:
    age = func.extract("epoch", func.now() - endpoint_limits.c.updated_at).label("age_seconds")
    return select(endpoint_limits, age)


def _remembered(row: Row[Any]) -> RememberedLimit:
    return RememberedLimit(
        endpoint=row.endpoint,
        model=row.model,
        limit=row.learned_limit,
        tokens_per_second=row.tokens_per_second,
        p95_first_token_ms=row.p95_first_token_ms,
        p95_token_gap_ms=row.p95_token_gap_ms,
        reason=row.reason,
        age_seconds=float(row.age_seconds),
    )
