"""The session's PostgreSQL for the tests of this folder."""

from tests.embedded import database_home, fresh_database, server_url  # noqa: F401
