"""The one way to the database: `database_url` and `database`, for the embedded server and for any other.

What the tables are is in tables.py; how they come to be in migrate.py.
"""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Dialect, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from tip_resources.database import embedded
from tip_resources.database.restoring import refuse_half_restored
from tip_resources.database.trouble import URL_VARIABLE, unusable
from tip_resources.domain.failures import BadInput
from tip_resources.home import project_home

_DRIVER = "postgresql+psycopg2"
_NAMES_OF_POSTGRESQL = frozenset({"postgres", "postgresql", _DRIVER})

_lock = threading.Lock()
_urls: dict[Path, str] = {}
# Few connections are kept: a Dagster project is many processes, each with its own pool.
POOL: Mapping[str, Any] = {"pool_size": 2, "pool_pre_ping": True, "pool_recycle": 1800}

# By URL, and for whom: tip's own tables, or Dagster's.
_engines: dict[tuple[str, str], Engine] = {}


def database_url(home: Path | None = None) -> str:
    """The SQLAlchemy URL of tip's database, with its password. The embedded server is started when needed.

    Raises:
        BadInput: TIP_DATABASE_URL is not a PostgreSQL URL, the embedded server cannot run in `home`, or what is there
            was restored by half.
        TransientFailure: The embedded server did not come up.
    """
    home = (home or project_home()).resolve()
    refuse_half_restored(home)
    if given := os.environ.get(URL_VARIABLE):
        return normalised_url(given)
    with _lock:
        if home not in _urls:
            _urls[home] = embedded.start(home)
        return _urls[home]


def is_embedded() -> bool:
    """Whether tip runs its own server, because no other was named."""
    return not os.environ.get(URL_VARIABLE)


def normalised_url(given: str) -> str:
    """`postgres://` and `postgresql://` become `postgresql+psycopg2://`: SQLAlchemy 2.1 would take psycopg 3.

    Raises:
        BadInput: Not a URL, or not of a PostgreSQL database. The message never holds the password.
    """
    mend = "Write postgresql://user:password@host:5432/database."
    try:
        url = make_url(given.strip())
    except (ArgumentError, ValueError) as error:
        raise BadInput("this is not a database URL.", where=URL_VARIABLE, mend=mend) from error
    if url.drivername not in _NAMES_OF_POSTGRESQL:
        raise BadInput(f"tip needs PostgreSQL, not {url.drivername!r}.", where=URL_VARIABLE, mend=mend)
    if not url.database:
        raise BadInput("the URL names no database.", where=URL_VARIABLE, mend=mend)
    return url.set(drivername=_DRIVER).render_as_string(hide_password=False)


def database(home: Path | None = None) -> Engine:
    """An engine on tip's database, migrated; one per process and database.

    Raises:
        BadInput: The database cannot be used as it is; the message says what to do.
        TransientFailure: It cannot be reached now.
    """
    from tip_resources.database.migrate import migrate

    url = database_url(home)
    with _lock:
        if (url, "tip") not in _engines:
            engine = new_engine(make_url(url))
            if is_embedded():
                revive_embedded(engine, (home or project_home()).resolve())
            try:
                migrate(engine)
            except BaseException:
                engine.dispose()
                raise
            _engines[url, "tip"] = engine
        return _engines[url, "tip"]


def dagster_engine(home: Path, make: Callable[[], Engine]) -> Engine:
    """The engine of Dagster's storages on the project's database; one per process, by `make` when there is none yet."""
    url = database_url(home)
    with _lock:
        if (url, "dagster") not in _engines:
            _engines[url, "dagster"] = make()
        return _engines[url, "dagster"]


def close(home: Path | None = None) -> None:
    """Drops this process's connections to the database of a project; the next `database` makes new ones."""
    home = (home or project_home()).resolve()
    with _lock:
        embedded_url = _urls.pop(home, None)
        url = embedded_url if is_embedded() else normalised_url(os.environ[URL_VARIABLE])
        for owner in ("tip", "dagster"):
            if engine := _engines.pop((url or "", owner), None):
                engine.dispose()


def revive_embedded(engine: Engine, home: Path) -> None:
    """Makes new connections of `engine` start the embedded server again when it is gone."""
    from psycopg2 import OperationalError as NoConnection

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, _record: Any, positional: Any, named: dict[str, Any]) -> Any:
        try:
            return dialect.connect(*positional, **named)
        except NoConnection:
            again = make_url(embedded.start(home))  # on TCP the port is a new one
            _, arguments = dialect.create_connect_args(again)
            return dialect.connect(**{**named, **arguments})


def new_engine(url: URL) -> Engine:
    """An engine whose troubles with the server are told as tip's failures. For all but a look use `database`."""
    engine = create_engine(
        url,
        max_overflow=8,
        **POOL,
        hide_parameters=True,  # values of a failed statement do not belong in logs
        connect_args={"connect_timeout": 10, "application_name": "tip"},
    )

    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> None:
        """Callers see tip's failures, not the driver's, where the server and not the query is at fault."""
        is_away = context.connection is None or context.is_disconnect
        if is_away and not context.is_pre_ping and isinstance(context.sqlalchemy_exception, OperationalError):
            raise unusable(url, str(context.original_exception)) from context.original_exception

    return engine


def _forget_after_fork() -> None:
    """A forked child makes its own connections; the parent's stay open for the parent."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    for engine in _engines.values():
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
