"""Data sets that were asked for: the rows of dataset_requests, by whatever door they came.

The row is the truth of a partition. Turning rows into partitions and runs is the sensors' work. What happens to a row
later by a person's word (paused, taken up again, deleted) is in request_orders.py.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, Row, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from tip_resources.database import audit
from tip_resources.database.tables import dataset_requests
from tip_resources.domain.codec import from_builtins, to_builtins
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.priority import QUEUE_PRIORITY

_logger = logging.getLogger(__name__)

RequestSource = Literal["cli", "file", "launchpad"]
RequestState = Literal["requested", "running", "paused", "done", "failed", "cancelled", "deleting"]

ENDED: frozenset[RequestState] = frozenset({"done", "failed", "cancelled"})
# They say who asked, how, when and how soon, not what for: two specs that differ only here are the same data set.
_NOT_COMPARED = frozenset({"query", "requested_by", "created_at", "priority"})

_columns = dataset_requests.c
_PRIORITY = case(QUEUE_PRIORITY, value=_columns.spec["priority"].astext, else_=QUEUE_PRIORITY["normal"])


class DatasetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One row. Times are in UTC.

    `run_id` is the Dagster run that makes or made the set; `attempt` counts how often it was asked for again;
    `state_since` and `state_by` tell when it came to its state and by whom, or by "tip" itself.
    """

    id: str
    dataset: str
    spec: DatasetSpec
    source: RequestSource
    state: RequestState
    run_id: str | None
    note: str
    created_at: datetime
    updated_at: datetime
    attempt: int = 0
    state_since: datetime
    state_by: str = ""


class RequestStore:
    """Reads and writes dataset_requests. Every change leaves a row in the audit log, in the same transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, spec: DatasetSpec, *, source: RequestSource, idempotency_key: str | None = None) -> DatasetRequest:
        """Asks for a data set. The same key, or the same spec again, gives the row that is there already.

        A set that has ended and is asked for with another budget waits to be made again.

        Raises:
            BadInput: The name is taken by a data set with another spec, or the spec could not be read back: nobody
                could make a set of a row like that.
        """
        written = to_builtins(spec)
        from_builtins(written, DatasetSpec, where=f"data set {spec.name!r}")
        asker = spec.requested_by or source
        values = {"dataset": spec.name, "spec": written, "source": source, "state_by": asker}
        values["idempotency_key"] = idempotency_key
        new = insert(dataset_requests).values(**values).on_conflict_do_nothing().returning(*_columns)
        with self._engine.begin() as connection:
            row = connection.execute(new).one_or_none()
            if row is not None:
                detail = {"source": source, "count": spec.count, "domain": spec.domain, "priority": spec.priority}
                audit.append(connection, asker, "dataset.requested", spec.name, detail)
                return request_of(row)
            return _existing(connection, spec, idempotency_key)

    def get(self, dataset: str) -> DatasetRequest | None:
        """The request for a data set, or None when nobody asked for it."""
        with self._engine.connect() as connection:
            row = connection.execute(select(dataset_requests).where(_columns.dataset == dataset)).one_or_none()
            return request_of(row) if row is not None else None

    def list(self, limit: int = 100, state: RequestState | None = None) -> Sequence[DatasetRequest]:
        """The newest requests first."""
        query = select(dataset_requests).order_by(_columns.created_at.desc()).limit(limit)
        return self._read(query.where(_columns.state == state) if state else query)

    def count(self, state: RequestState) -> int:
        """How many requests are in that state."""
        with self._engine.connect() as connection:
            counted = select(func.count()).select_from(dataset_requests).where(_columns.state == state)
            return connection.execute(counted).scalar_one()

    def waiting(self, limit: int = 100) -> Sequence[DatasetRequest]:
        """Requests without a run: by priority, and of one priority the oldest first."""
        query = select(dataset_requests).where(_columns.state == "requested")
        return self._read(query.order_by(_PRIORITY.desc(), _columns.created_at, _columns.dataset).limit(limit))

    def begin(self, dataset: str, run_id: str, attempt: int | None = None) -> DatasetRequest:
        """Notes that a run makes the set now.

        Args:
            dataset: The data set.
            run_id: The run.
            attempt: Which attempt the run was launched for; None for a run that a person started in Dagster.

        Raises:
            BadInput: The set is paused or being deleted, or the run was launched for an attempt that was taken back
                before it began.
        """
        may = _columns.state.not_in(["paused", "deleting"])
        if attempt is not None:
            # A step of the run that makes it already may be repeated; any other run was launched too late.
            may &= (_columns.run_id == run_id) | ((_columns.state == "requested") & (_columns.attempt == attempt))
        with self._engine.begin() as connection:
            row = move(connection, dataset, "running", may, run_id=run_id)
            if row is not None:
                return row
        found = self.get(dataset)
        if found is None:
            raise BadInput(f"nobody asked for data set {dataset!r} any more.")
        raise BadInput(
            f"data set {dataset!r} is {found.state}" + (f" by {found.state_by}" if found.state_by else "") + ".",
            mend=f"`tip resume {dataset}` takes it up again.",
        )

    def set_state(
        self, dataset: str, state: RequestState, run_id: str | None = None, note: str = "", by: str = "tip"
    ) -> DatasetRequest:
        """Moves a request on. `run_id` None leaves the run that is noted there.

        Raises:
            BadInput: Nobody asked for that data set.
        """
        with self._engine.begin() as connection:
            row = move(connection, dataset, state, run_id=run_id, note=note, by=by)
        if row is None:
            raise BadInput(f"there is no data set {dataset!r}.", mend="`tip list` shows those there are.")
        return row

    def set_note(self, dataset: str, note: str) -> None:
        """Says how far a data set is; progress is no event, so the audit log is left alone."""
        with self._engine.begin() as connection:
            change = update(dataset_requests).where(_columns.dataset == dataset)
            connection.execute(change.values(note=note, updated_at=func.now()))

    def _read(self, query: Any) -> Sequence[DatasetRequest]:
        with self._engine.connect() as connection:
            return readable(connection.execute(query))


def move(
    connection: Connection,
    dataset: str,
    state: RequestState,
    may: Any = True,
    *,
    by: str = "tip",
    detail: Mapping[str, Any] | None = None,
    **values: Any,
) -> DatasetRequest | None:
    """Brings a request to a state and notes it in the audit log; None, and nothing done, where `may` does not hold.

    Args:
        connection: In whose transaction.
        dataset: The data set.
        state: The new state.
        may: A condition on the row as it is.
        by: Who wants it.
        detail: What the audit log shall tell besides run and note.
        values: Other columns to set; a run id that is None stays as it is.
    """
    if values.get("run_id") is None:
        values.pop("run_id", None)
    since = case((_columns.state == state, _columns.state_since), else_=func.now())
    values = {"note": "", **values, "state": state, "state_by": by, "state_since": since, "updated_at": func.now()}
    change = update(dataset_requests).where(_columns.dataset == dataset, may).values(**values)
    row = connection.execute(change.returning(*_columns)).one_or_none()
    if row is None:
        return None
    told = {"run_id": row.run_id, "note": row.note, **(detail or {})}
    audit.append(connection, by, f"dataset.{state}", dataset, told)
    return request_of(row)


def _existing(connection: Connection, spec: DatasetSpec, idempotency_key: str | None) -> DatasetRequest:
    is_it = _columns.dataset == spec.name
    if idempotency_key is not None:  # a comparison with None would find every request without a key
        is_it = or_(is_it, _columns.idempotency_key == idempotency_key)
    query = select(dataset_requests).where(is_it).with_for_update()
    found = [(request_of(row), row.idempotency_key) for row in connection.execute(query)]
    for request, key in found:
        if key is not None and key == idempotency_key:
            return request
    request = found[0][0]
    differences = _differences(request.spec, spec)
    if differences == ["budget"] and request.state in ENDED:
        return _with_budget(connection, request, spec)
    if differences:
        raise BadInput(
            f"the data set {spec.name!r} exists with another {', '.join(differences)}.",
            mend="Choose another name, or ask for exactly the same.",
        )
    return request


def _with_budget(connection: Connection, request: DatasetRequest, spec: DatasetSpec) -> DatasetRequest:
    """A set that has ended is made again with another budget: what it has is kept, and it goes on from there."""
    changed = to_builtins(replace(request.spec, budget=spec.budget))
    row = move(
        connection,
        spec.name,
        "requested",
        by=spec.requested_by or "tip",
        detail={"budget": to_builtins(spec.budget)},
        spec=changed,
        attempt=_columns.attempt + 1,
    )
    assert row is not None  # it is locked by the transaction that read it
    return row


def _differences(one: DatasetSpec, other: DatasetSpec) -> Sequence[str]:
    fields = [field for field in DatasetSpec.__struct_fields__ if field not in _NOT_COMPARED]
    return [field for field in fields if getattr(one, field) != getattr(other, field)]


def readable(rows: Iterable[Row[Any]]) -> Sequence[DatasetRequest]:
    """Rows as values. One that this version of tip cannot read is told and left out: it shall stop no other set."""
    found = []
    for row in rows:
        try:
            found.append(request_of(row))
        except BadInput as problem:
            _tell_once(f"data set {row.dataset!r} is left out: {problem}")
    return found


@cache
def _tell_once(problem: str) -> None:
    """A sensor reads the rows every few seconds."""
    _logger.warning("%s", problem)


def request_of(row: Row[Any]) -> DatasetRequest:
    """A row of dataset_requests as a value.

    Raises:
        BadInput: Another version of tip wrote it, and this one cannot read it.
    """
    return DatasetRequest(
        id=row.id,
        dataset=row.dataset,
        spec=_spec_of(row),
        source=row.source,
        state=row.state,
        run_id=row.run_id,
        note=row.note,
        created_at=row.created_at,
        updated_at=row.updated_at,
        attempt=row.attempt,
        state_since=row.state_since,
        state_by=row.state_by,
    )


def _spec_of(row: Row[Any]) -> DatasetSpec:
    try:
        return from_builtins(row.spec, DatasetSpec)
    except BadInput as problem:
        raise BadInput(
            f"{problem.what}.",
            where=f"dataset_requests row of {row.dataset!r}",
            mend="Work with the version of tip that it was asked for with.",
        ) from problem
