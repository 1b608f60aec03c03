"""The secret behind surrogates and hash tags: one for each data set, made from one of the project or yours.

Without it nobody finds out whose name a tag stands for by trying names; with it a re-run writes the same.
"""

import functools
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from tip_resources.domain.failures import BadInput
from tip_resources.home import state_folder

KEY_VARIABLE = "TIP_REDACTION_KEY"
KEY_FILE = "redaction.key"
_KEY_BYTES = 32
_SHORTEST_SECRET = 16


def redaction_key(home: Path, dataset: str) -> bytes:
    """The key of a data set: other sets have other tags and surrogates for the same person.

    From $TIP_REDACTION_KEY (set it on every machine of a fleet alike), else from `.tip/redaction.key`, made at
    random when it is first needed and readable by the owner alone.

    Raises:
        BadInput: The variable or the file holds too little to be a secret.
    """
    return hmac.new(_secret(home, os.environ.get(KEY_VARIABLE, "")), dataset.encode(), hashlib.sha256).digest()


@functools.lru_cache(maxsize=8)
def _secret(home: Path, given: str) -> bytes:
    if given:
        if len(given) < _SHORTEST_SECRET:
            raise BadInput(
                f"shorter than {_SHORTEST_SECRET} characters, so it could be guessed.",
                where=KEY_VARIABLE,
                mend="Take 32 random characters.",
            )
        return given.encode()
    path = state_folder(home) / KEY_FILE
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except FileExistsError:
        return _kept(path)
    with os.fdopen(file, "wb") as opened:
        key = secrets.token_bytes(_KEY_BYTES)
        opened.write(key)
    return key


def _kept(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        raise BadInput(
            "cut short.", where=str(path), mend="Delete it; the next export makes another, with other surrogates."
        )
    return key
