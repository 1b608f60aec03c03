"""What is raised while the database is away, for those who go on without it for a while."""

from sqlalchemy.exc import SQLAlchemyError

from tip_resources.domain.failures import PermanentFailure, TransientFailure

DATABASE_TROUBLE = (SQLAlchemyError, TransientFailure, PermanentFailure)
