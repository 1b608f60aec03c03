"""The Vendi score (Friedman and Dieng 2023): the effective number of different calls in a set.

exp of the entropy of the eigenvalues of K/n, where K holds the likeness of every pair, 1 on the diagonal. n calls that
share nothing give n, n copies of one call give 1. The package `vendi-score` is not used: it imports a module that
SciPy has announced to remove, and what it does is the last four lines; the tests hold them against it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tip_assets.quality.duplicates.sentence_model import open_sentence_model
from tip_assets.quality.metrics.ngrams import NgramCounts, NgramTable

if TYPE_CHECKING:
    import numpy as np


def vendi_of_ngrams(table: NgramTable) -> float:
    """With the package's own kernel for texts: the mean over n = 1 to 4 of the cosine of n-gram counts.

    Raises:
        ValueError: There is no call, or one without words.
    """
    import numpy as np

    if not table.texts or not table.lengths.all():
        raise ValueError("a call without words has no likeness to anything")
    # A call shorter than n words shares no n-gram with any other, and is like itself all the same.
    cosines = [_cosines(counts, table.texts) for counts in table.counts.values() if counts.count.size]
    return vendi_score(np.mean(cosines, axis=0))


def vendi_of_embeddings(texts: Sequence[str], model: str) -> float:
    """With the cosine of sentence embeddings; needs the extra `semantic`. `model` is a name or a folder.

    Raises:
        PermanentFailure: sentence-transformers is not installed, or the model cannot be opened.
    """
    vectors = open_sentence_model(model, device="cpu").vectors(texts)
    return vendi_score(vectors @ vectors.T)


def vendi_score(likeness: "np.ndarray") -> float:
    """From a symmetric matrix of likeness with 1 on the diagonal."""
    import numpy as np

    shares = np.linalg.eigvalsh(np.asarray(likeness, dtype=np.float64) / len(likeness))
    # Rounding leaves eigenvalues of 0 a little below it.
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _cosines(counts: NgramCounts, texts: int) -> "np.ndarray":
    import numpy as np
    from scipy.sparse import csr_matrix

    norms = np.sqrt(np.bincount(counts.text, weights=counts.count.astype(float) ** 2, minlength=texts))
    rows = csr_matrix((counts.count / norms[counts.text], (counts.text, counts.ngram)), shape=(texts, counts.different))
    cosines = (rows @ rows.T).toarray()
    np.fill_diagonal(cosines, 1.0)
    return cosines
