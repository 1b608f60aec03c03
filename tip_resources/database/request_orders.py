"""What people order of data sets: to pause, to go on, to be made sooner, to be deleted. Signed, in the audit log.

Only rows are changed here. Stopping runs is tip_assets/cli/run_stopping.py's work, removing what belongs to a set
tip_assets/cli/dataset_removal.py's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Engine, delete, select, update

from tip_resources.database import audit
from tip_resources.database.requests import ENDED, DatasetRequest, RequestState, move, readable, request_of
from tip_resources.database.tables import dataset_requests
from tip_resources.domain.codec import to_builtins
from tip_resources.domain.failures import BadInput
from tip_resources.domain.priority import Priority

_columns = dataset_requests.c
_GOING: tuple[RequestState, ...] = ("requested", "running")
_RESUMABLE: tuple[RequestState, ...] = ("paused", "cancelled", "failed")
_DELETABLE: tuple[RequestState, ...] = (*ENDED, "paused", "deleting")


class RequestOrders:
    """Changes rows of dataset_requests by a person's word. Each order looks and changes in one step.

    A method returns the row as it is now, or None where the set is in no state for the order; then nothing is changed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def going(self) -> Sequence[DatasetRequest]:
        """Sets that wait or are being made, oldest first."""
        return self._of_states(_GOING)

    def paused(self) -> Sequence[DatasetRequest]:
        """Sets that are paused, oldest first: they are taken up in the order in which they were asked for."""
        return self._of_states(("paused",))

    def pause(self, dataset: str, by: str) -> DatasetRequest | None:
        """Holds a set that waits or is being made; no run is launched for it, and none may begin."""
        return self._move(dataset, "paused", _GOING, by)

    def cancel(self, dataset: str, by: str) -> DatasetRequest | None:
        """Gives up a set that waits, is being made, or is paused."""
        return self._move(dataset, "cancelled", (*_GOING, "paused"), by, note="cancelled with tip cancel")

    def resume(self, dataset: str, by: str) -> DatasetRequest | None:
        """Lets a set that is paused, cancelled or failed wait for a new run, which goes on with what is kept."""
        return self._move(dataset, "requested", _RESUMABLE, by, attempt=_columns.attempt + 1)

    def start_deleting(self, dataset: str, by: str, detail: Mapping[str, Any]) -> DatasetRequest | None:
        """Marks a set that has ended or is paused: from now on nothing starts it, and a deletion may be repeated."""
        return self._move(dataset, "deleting", _DELETABLE, by, detail=detail)

    def forget(self, dataset: str, by: str, detail: Mapping[str, Any]) -> None:
        """Removes the row of a set that is marked for it, once all that belonged to the set is gone."""
        with self._engine.begin() as connection:
            gone = delete(dataset_requests).where(_columns.dataset == dataset, _columns.state == "deleting")
            if connection.execute(gone).rowcount:
                audit.append(connection, by, "dataset.deleted", dataset, detail)

    def set_priority(self, dataset: str, priority: Priority, by: str) -> DatasetRequest:
        """How soon the set is made from now on.

        Raises:
            BadInput: Nobody asked for that data set.
        """
        is_it = _columns.dataset == dataset
        with self._engine.begin() as connection:
            row = connection.execute(select(dataset_requests).where(is_it).with_for_update()).one_or_none()
            if row is None:
                raise BadInput(f"there is no data set {dataset!r}.", mend="`tip list` shows those there are.")
            spec = replace(request_of(row).spec, priority=priority)
            change = update(dataset_requests).where(is_it).values(spec=to_builtins(spec))
            audit.append(connection, by, "dataset.priority", dataset, {"priority": priority})
            return request_of(connection.execute(change.returning(*_columns)).one())

    def _move(
        self, dataset: str, state: RequestState, of: Sequence[RequestState], by: str, **values: Any
    ) -> DatasetRequest | None:
        with self._engine.begin() as connection:
            return move(connection, dataset, state, _columns.state.in_(of), by=by, **values)

    def _of_states(self, states: Sequence[RequestState]) -> Sequence[DatasetRequest]:
        query = select(dataset_requests).where(_columns.state.in_(states))
        with self._engine.connect() as connection:
            return readable(connection.execute(query.order_by(_columns.created_at)))
