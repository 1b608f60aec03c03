"""Where a storage root may be, a local folder or an S3 bucket, and what is said when it cannot be used.

Credentials, region and endpoint of S3 come from the usual AWS_* variables and files, never from tip's settings.
Reading and writing is in objects.py.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from upath import UPath

from tip_resources.domain.failures import BadInput, TransientFailure

PIECE_BYTES = 8 << 20
"""Larger files go to S3 and come back in pieces of this size. s3fs would hold ten of 50 MB in memory."""
_PIECES_AT_ONCE = 4
_SCHEMES = "Use a folder, or s3://BUCKET/PREFIX."
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_WRONG_CREDENTIALS = frozenset(
    {
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
        "AuthorizationHeaderMalformed",
        "RequestTimeTooSkewed",
    }
)
# A full or read-only disk on our side of a copy.
_OF_THIS_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_CREDENTIALS = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) where tip runs, for example in .env; for MinIO "
    "and others also AWS_ENDPOINT_URL."
)


def storage_root(storage_url: str, home: Path, *, named: str = "storage_url") -> UPath:
    """The folder or bucket prefix that `storage_url` names; a relative folder lies in the project folder `home`.

    Nothing is asked of S3 here. `named` is what a person knows the value as.

    Raises:
        BadInput: It names neither, or s3fs is not installed.
    """
    scheme, has_scheme, rest = storage_url.strip().partition("://")
    if not has_scheme:
        return UPath(home / Path(storage_url.strip()).expanduser())
    if scheme == "file":
        return UPath(Path(rest))
    if scheme != "s3":
        raise BadInput(f"{scheme}:// is no place where tip can keep data.", where=named, mend=_SCHEMES)
    if not rest.partition("/")[0]:
        raise BadInput("s3:// names no bucket.", where=named, mend=_SCHEMES)
    if any(sign in rest for sign in "*?["):  # fsspec would take the prefix for a pattern
        raise BadInput("the prefix holds one of * ? [", where=named, mend=_SCHEMES)
    try:
        import s3fs  # noqa: F401 # pyright: ignore[reportMissingImports] - the extra s3
    except ImportError as error:
        raise BadInput(
            "s3:// needs the package s3fs, which is not installed.",
            where=named,
            mend="Install tip's extra `s3`: pip install 'transcript-intelligence-platform[s3]'; or name a folder.",
        ) from error
    # A remembered listing would not show what another process wrote since.
    return UPath(f"s3://{rest.rstrip('/')}", use_listings_cache=False, max_concurrency=_PIECES_AT_ONCE)


def is_local(path: UPath) -> bool:
    """Whether `path` is on this machine's disk."""
    return path.protocol in ("", "file", "local")


@contextmanager
def reaching(path: UPath) -> Iterator[None]:
    """What S3 answers within the block becomes one of tip's failures; a missing object stays FileNotFoundError.

    Raises:
        BadInput: The bucket, the credentials or the rights are not as they must be; says how to mend it.
        TransientFailure: The server cannot be reached, or cannot answer now.
    """
    if is_local(path):
        yield
        return
    from aiohttp import ClientError as BrokenAnswer
    from botocore.exceptions import (  # pyright: ignore[reportMissingImports] - the extra s3
        BotoCoreError,
        ClientError,
    )

    try:
        yield
    except (OSError, BotoCoreError, ClientError, BrokenAnswer) as error:
        code = _code_of(error)
        is_missing = isinstance(error, FileNotFoundError) and code != "NoSuchBucket"
        if is_missing or getattr(error, "errno", None) in _OF_THIS_MACHINE:
            raise
        raise _explained(path, error, code) from error


def ensure_bucket(path: UPath) -> None:
    """Asks for the bucket of `path` itself: to a listing one that is missing looks like an empty one.

    Raises:
        BadInput: There is none.
    """
    s3: Any = path.fs
    try:
        s3.call_s3("head_bucket", Bucket=path.path.partition("/")[0])
    except FileNotFoundError as error:
        raise _no_bucket(path) from error


def _explained(path: UPath, error: Exception, code: str) -> BadInput | TransientFailure:
    from botocore import exceptions as botocore  # pyright: ignore[reportMissingImports] - the extra s3

    bucket, where = path.path.partition("/")[0], f"storage {path}"
    if code == "NoSuchBucket":
        return _no_bucket(path)
    if isinstance(error, botocore.NoCredentialsError | botocore.PartialCredentialsError | botocore.TokenRetrievalError):
        return BadInput("there are no credentials for S3.", where=where, mend=_CREDENTIALS)
    if isinstance(error, botocore.ProfileNotFound | botocore.NoRegionError | botocore.InvalidRegionError):
        return BadInput(f"S3 is not set up: {_words(error)}", where=where, mend=_CREDENTIALS)
    if code in _WRONG_CREDENTIALS:
        return BadInput(f"S3 does not accept the credentials ({code}).", where=where, mend=_CREDENTIALS)
    if isinstance(error, PermissionError):
        return BadInput(
            f"S3 refuses us ({code or 'Forbidden'}): {_words(error)}",
            where=where,
            mend=f"The credentials need s3:ListBucket on {bucket}, and s3:GetObject, s3:PutObject and s3:DeleteObject "
            "on what is in it.",
        )
    return TransientFailure(f"{where}: S3 cannot be used now: {_words(error)} Check AWS_ENDPOINT_URL and the network.")


def _no_bucket(path: UPath) -> BadInput:
    bucket = path.path.partition("/")[0]
    return BadInput(
        f"there is no bucket {bucket!r}.",
        where=f"storage {path}",
        mend=f"Make it (aws s3 mb s3://{bucket}), or change storage_url.",
    )


def _code_of(error: BaseException | None) -> str:
    """S3's own code of what went wrong, from the error or what caused it; empty when it said none."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        error = error.__cause__
    return ""


def _words(error: Exception) -> str:
    return f"{' '.join(str(error).split()) or type(error).__name__}".rstrip(".") + "."
