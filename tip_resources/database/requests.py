"""Data sets that were asked for: the rows of dataset_requests, by whatever door they came.

The row is the truth of a partition. Turning rows into partitions and runs is the sensors' work.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, Row, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from tip_resources.database import audit
from tip_resources.database.tables import dataset_requests
from tip_resources.domain.codec import from_builtins, to_builtins
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput

RequestSource = Literal["cli", "file", "launchpad"]
RequestState = Literal["requested", "running", "done", "failed", "cancelled"]

# They say who asked, how and when, not what for: two specs that differ only here are the same data set.
_NOT_COMPARED = frozenset({"query", "requested_by", "created_at"})
_ENDED = frozenset({"done", "failed", "cancelled"})


class DatasetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One row. Times are in UTC; `run_id` is the Dagster run that makes or made the set."""

    id: str
    dataset: str
    spec: DatasetSpec
    source: RequestSource
    state: RequestState
    run_id: str | None
    note: str
    created_at: datetime
    updated_at: datetime


class RequestStore:
    """Reads and writes dataset_requests. Every change leaves a row in the audit log, in the same transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, spec: DatasetSpec, *, source: RequestSource, idempotency_key: str | None = None) -> DatasetRequest:
        """Asks for a data set. The same key, or the same spec again, gives the row that is there already.

        A set that has ended and is asked for with another budget waits to be made again.

        Raises:
            BadInput: The name is taken by a data set with another spec.
        """
        values = {"dataset": spec.name, "spec": to_builtins(spec), "source": source, "idempotency_key": idempotency_key}
        new = insert(dataset_requests).values(**values).on_conflict_do_nothing().returning(*dataset_requests.c)
        with self._engine.begin() as connection:
            row = connection.execute(new).one_or_none()
            if row is not None:
                detail = {"source": source, "count": spec.count, "domain": spec.domain}
                audit.append(connection, spec.requested_by or source, "dataset.requested", spec.name, detail)
                return _request(row)
            return _existing(connection, spec, idempotency_key)

    def get(self, dataset: str) -> DatasetRequest | None:
        """The request for a data set, or None when nobody asked for it."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(dataset_requests).where(dataset_requests.c.dataset == dataset)
            ).one_or_none()
            return _request(row) if row is not None else None

    def list(self, limit: int = 100, state: RequestState | None = None) -> Sequence[DatasetRequest]:
        """The newest requests first."""
        query = select(dataset_requests).order_by(dataset_requests.c.created_at.desc()).limit(limit)
        return self._read(query.where(dataset_requests.c.state == state) if state else query)

    def waiting(self, limit: int = 100) -> Sequence[DatasetRequest]:
        """Requests without a run, oldest first."""
        query = select(dataset_requests).where(dataset_requests.c.state == "requested")
        return self._read(query.order_by(dataset_requests.c.created_at, dataset_requests.c.dataset).limit(limit))

    def set_state(self, dataset: str, state: RequestState, run_id: str | None = None, note: str = "") -> DatasetRequest:
        """Moves a request on. `run_id` None leaves the run that is noted there.

        Raises:
            BadInput: Nobody asked for that data set.
        """
        values: dict[str, Any] = {"state": state, "note": note, "updated_at": func.now()}
        if run_id is not None:
            values["run_id"] = run_id
        change = update(dataset_requests).where(dataset_requests.c.dataset == dataset).values(**values)
        with self._engine.begin() as connection:
            row = connection.execute(change.returning(*dataset_requests.c)).one_or_none()
            if row is None:
                raise BadInput(f"there is no data set {dataset!r}.", mend="`tip list` shows those there are.")
            audit.append(connection, "tip", f"dataset.{state}", dataset, {"run_id": row.run_id, "note": note})
            return _request(row)

    def set_note(self, dataset: str, note: str) -> None:
        """Says how far a data set is; progress is no event, so the audit log is left alone."""
        with self._engine.begin() as connection:
            change = update(dataset_requests).where(dataset_requests.c.dataset == dataset)
            connection.execute(change.values(note=note, updated_at=func.now()))

    def _read(self, query: Any) -> Sequence[DatasetRequest]:
        with self._engine.connect() as connection:
            return [_request(row) for row in connection.execute(query)]


def _existing(connection: Connection, spec: DatasetSpec, idempotency_key: str | None) -> DatasetRequest:
    columns = dataset_requests.c
    is_it = columns.dataset == spec.name
    if idempotency_key is not None:  # a comparison with None would find every request without a key
        is_it = or_(is_it, columns.idempotency_key == idempotency_key)
    query = select(dataset_requests).where(is_it)
    found = [(_request(row), row.idempotency_key) for row in connection.execute(query)]
    for request, key in found:
        if key is not None and key == idempotency_key:
            return request
    request = found[0][0]
    differences = _differences(request.spec, spec)
    if differences == ["budget"] and request.state in _ENDED:
        return _with_budget(connection, request, spec)
    if differences:
        raise BadInput(
            f"the data set {spec.name!r} exists with another {', '.join(differences)}.",
            mend="Choose another name, or ask for exactly the same.",
        )
    return request


def _with_budget(connection: Connection, request: DatasetRequest, spec: DatasetSpec) -> DatasetRequest:
    """A set that has ended is made again with another budget: what it has is kept, and it goes on from there."""
    changed = replace(request.spec, budget=spec.budget)
    change = update(dataset_requests).where(dataset_requests.c.dataset == spec.name)
    values = {"spec": to_builtins(changed), "state": "requested", "note": "", "updated_at": func.now()}
    row = connection.execute(change.values(**values).returning(*dataset_requests.c)).one()
    detail = {"budget": to_builtins(spec.budget)}
    audit.append(connection, spec.requested_by or "tip", "dataset.requested_again", spec.name, detail)
    return _request(row)


def _differences(one: DatasetSpec, other: DatasetSpec) -> Sequence[str]:
    fields = [field for field in DatasetSpec.__struct_fields__ if field not in _NOT_COMPARED]
    return [field for field in fields if getattr(one, field) != getattr(other, field)]


def _request(row: Row[Any]) -> DatasetRequest:
    return DatasetRequest(
        id=row.id,
        dataset=row.dataset,
        spec=from_builtins(row.spec, DatasetSpec, where=f"dataset_requests row of {row.dataset!r}"),
        source=row.source,
        state=row.state,
        run_id=row.run_id,
        note=row.note,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
