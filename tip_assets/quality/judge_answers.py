"""Answers of judges, kept one small object each the moment they come, so that a killed run asks only for the rest.

<folder>/<first two digits of the key>/<key>.json

The key is a hash of the words asked, the model and the sample number (judging.py): another rubric, another model or an
edited call is another key, and old answers are never taken for new ones.
"""

from collections.abc import Iterator

from upath import UPath

from tip_assets.quality.judging import JudgeAnswer
from tip_resources.domain.codec import from_json, to_json
from tip_resources.storage.checkpoint import CallUsage
from tip_resources.storage.objects import list_objects, put_object, read_object, read_objects, remove_tree


class JudgeAnswers:
    """The kept answers of one set or file."""

    def __init__(self, folder: UPath) -> None:
        self._folder = folder

    def find(self, key: str) -> JudgeAnswer | None:
        """The answer of an earlier run; None when it was never asked or never answered."""
        path = self._path(key)
        try:
            data = read_object(path)
        except FileNotFoundError:
            return None
        return from_json(data, JudgeAnswer, where=str(path))

    def keep(self, key: str, answer: JudgeAnswer) -> None:
        """Keeps an answer; on return it survives a kill."""
        put_object(self._path(key), to_json(answer))

    def usages(self) -> Iterator[CallUsage]:
        """What the kept answers took, those of an older rubric or of calls since rewritten included.

        Left out are answers that were kept before it was written down who gave them.
        """
        for path, data in read_objects(list_objects(self._folder, "*/*.json")):
            answer = from_json(data, JudgeAnswer, where=str(path))
            if answer.endpoint:
                yield CallUsage(
                    call_id=path.stem,
                    endpoint=answer.endpoint,
                    tokens_in=answer.tokens_in,
                    tokens_out=answer.tokens_out,
                    duration_ms=0.0,
                    items=1,
                )

    def clear(self) -> None:
        """Forgets everything."""
        remove_tree(self._folder)

    def _path(self, key: str) -> UPath:
        return self._folder / f"{key[:2]}/{key}.json"
