"""Who watches the fleet: at most one process per database, by an advisory lock on a connection of its own."""

from sqlalchemy import Connection, Engine, text

from tip_resources.database.schema import FLEET_WATCH_LOCK
from tip_resources.database.trouble import DATABASE_TROUBLE

_TRY = text("SELECT pg_try_advisory_lock(:key)")
# The server drops the lock with the connection. When our machine loses its power nobody closes that, and by default
# the server would wonder only after two hours.
_NOTICE_SOON = ("SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3")


class WatchLock:
    """The right to watch the fleet. For one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def try_take(self) -> bool:
        """Takes the lock unless another process has it; True as well when we have it.

        Raises:
            TransientFailure: The database is away; then we do not have it.
        """
        if self._is_held():
            return True
        # Outside of a transaction, which would keep the server from cleaning up behind it for as long as we watch.
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not connection.scalar(_TRY, {"key": FLEET_WATCH_LOCK}):
                connection.close()
                return False
            for statement in _NOTICE_SOON:
                connection.execute(text(statement))
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        self._connection = connection
        return True

    def release(self) -> None:
        """Gives it back by closing its connection, which also works when the database is away."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DATABASE_TROUBLE:
            self.release()
            return False
        return True
