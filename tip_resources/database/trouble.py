"""What goes wrong between us and a database server, told apart and told so that it can be mended."""

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from tip_resources.database.schema import DAGSTER_SCHEMA, SCHEMA
from tip_resources.domain.failures import BadInput, PermanentFailure, TransientFailure, with_causes

DATABASE_TROUBLE = (SQLAlchemyError, TransientFailure, PermanentFailure)
"""What is raised while the database is away, for those who go on without it for a while."""

URL_VARIABLE = "TIP_DATABASE_URL"

# insufficient_privilege, and invalid_schema_name: the only schema we look in is closed to us.
# https://www.postgresql.org/docs/18/errcodes-appendix.html
_REFUSALS = frozenset({"42501", "3F000"})
_ACCOUNT = f"Check the user, the password and the name of the database in {URL_VARIABLE}."
_ADMIT_US = "Let its administrator add this machine, user and database to pg_hba.conf."
# What libpq, PostgreSQL and PgBouncer say where waiting does not help, and what does. The first that fits counts.
_FOR_A_PERSON = {
    "startup parameter": "Behind PgBouncer: set pool_mode = session and ignore_startup_parameters = options there, and "
    """let the server say where Dagster's tables are: ALTER ROLE "{user}" IN DATABASE "{database}" SET search_path = """
    f"{DAGSTER_SCHEMA}; or name the server itself in {URL_VARIABLE}.",
    "server does not support SSL": f"Take sslmode=require out of {URL_VARIABLE}, or switch SSL on at the server.",
    "SSL encryption": _ADMIT_US,  # refused with SSL, and then also without
    "no encryption": f"The server wants SSL: add ?sslmode=require to {URL_VARIABLE}.",
    "no pg_hba.conf entry": _ADMIT_US,
    "certificate": f"Check sslmode and sslrootcert in {URL_VARIABLE} against the server's certificate.",
    "permission denied for database": 'Let its owner run: GRANT CONNECT ON DATABASE "{database}" TO "{user}";',
    "not permitted to log in": 'Let its administrator run: ALTER ROLE "{user}" LOGIN;',
    "authentication failed": _ACCOUNT,
    "no password supplied": _ACCOUNT,
    "does not exist": _ACCOUNT,
}


# The server stops, has crashed, or still starts: admin_shutdown, crash_shutdown, cannot_connect_now.
_GOING_OR_COMING = frozenset({"57P01", "57P02", "57P03"})


class DatabaseAway(TransientFailure):
    """The server does not answer now."""


def is_database_away(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that the server went away or does not answer."""
    return any(
        isinstance(each, DatabaseAway) or (isinstance(each, DBAPIError) and _lost_the_server(each))
        for each in with_causes(error)
    )


def _lost_the_server(error: DBAPIError) -> bool:
    code = getattr(error.orig, "pgcode", None)
    return (
        error.connection_invalidated or code in _GOING_OR_COMING or (isinstance(error, OperationalError) and not code)
    )


def unusable(url: URL, said: str) -> BadInput | DatabaseAway:
    """Tells what a person has to mend, a wrong password for example, from a server that is away."""
    where = f"database {url.database} at {url.host or url.query.get('host')}"
    said = " ".join(said.split())
    for sign, mend in _FOR_A_PERSON.items():
        if sign in said:
            sql = {"user": url.username, "database": url.database}
            return BadInput(f"the server refuses us: {said}", where=where, mend=mend.format(**sql))
    return DatabaseAway(f"{where}: cannot be reached: {said} Check {URL_VARIABLE} and that the server runs.")


def is_refused(error: DBAPIError) -> bool:
    """Whether the user lacks a right."""
    return getattr(error.orig, "pgcode", None) in _REFUSALS


def lacks_rights(connection: Connection, schema: str, error: DBAPIError) -> BadInput:
    """Somebody else owns the schema, or something in it."""
    user = connection.engine.url.username
    return BadInput(
        f"the user {user!r} lacks rights in the schema {schema!r}: {str(error.orig).strip().splitlines()[0]}.",
        where=f"database {connection.engine.url.database}",
        mend=f'Connect as the user who owns the schema, or let them run: ALTER SCHEMA {schema} OWNER TO "{user}"; '
        "and the same for its tables.",
    )


def may_not_create(connection: Connection, schema: str) -> BadInput:
    """What a database administrator has to run, once, for all that tip needs."""
    user, database = connection.engine.url.username, connection.engine.url.database
    return BadInput(
        f"the user {user!r} may not create the schema {schema!r} in the database {database!r}.",
        where=URL_VARIABLE,
        mend=f'Let its owner run: CREATE SCHEMA {SCHEMA} AUTHORIZATION "{user}"; CREATE SCHEMA {DAGSTER_SCHEMA} '
        f'AUTHORIZATION "{user}"; or: GRANT CREATE ON DATABASE "{database}" TO "{user}"; tip needs no more than that.',
    )
