"""The S3 server of the session."""

from tests.s3_server import s3, s3_server

__all__ = ["s3", "s3_server"]
