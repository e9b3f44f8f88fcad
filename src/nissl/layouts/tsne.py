"""t-SNE, by openTSNE or else scikit-learn: keeps each unit's nearest; distances between groups say little."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.core.layout import Array, Layout, plane
from nissl.errors import BadValue, MissingDependency


@dataclass(frozen=True)
class Tsne(Layout):
    """`perplexity`: about how many neighbours each unit is held to; fewer where there are few units."""

    perplexity: float = 30.0

    def __post_init__(self) -> None:
        if not self.perplexity > 0:
            raise BadValue(f"perplexity={self.perplexity}: a number of neighbours, above 0.")

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        features = np.pad(features, ((0, 0), (0, max(0, 2 - features.shape[1]))))
        first = plane(features) / max(float(features[:, 0].std()), 1e-12) * 1e-4
        begin = first if start is None else 30 * (start - start.mean(0))
        held = min(self.perplexity, (len(features) - 1) / 3)
        try:
            import openTSNE
        except ImportError:
            return _sklearn(features, begin, held, seed, warm=start is not None)
        return _open(openTSNE, features, begin, held, seed, warm=start is not None)


def _open(library: Any, features: Array, begin: Array, perplexity: float, seed: int, *, warm: bool) -> Array:
    """One job: the same bytes, and threads that wait would cost more than they gain."""
    near = library.affinity.PerplexityBasedNN(
        features, perplexity=perplexity, method="exact", n_jobs=1, random_state=seed
    )
    gradient = "fft" if len(features) > 3000 else "bh"
    begun = library.TSNEEmbedding(begin, near, negative_gradient_method=gradient, n_jobs=1, random_state=seed)
    if warm:  # an early exaggeration would tear what is laid out already
        return np.asarray(begun.optimize(100, momentum=0.8))
    return np.asarray(begun.optimize(250, exaggeration=12, momentum=0.5).optimize(500, momentum=0.8))


def _sklearn(features: Array, begin: Array, perplexity: float, seed: int, *, warm: bool) -> Array:
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingDependency(
            "by='tsne' needs openTSNE (pip install 'nissl[maps]') or scikit-learn. by='grid' needs neither."
        ) from error
    given: Any = {"early_exaggeration": 1.0 if warm else 12.0}
    made = TSNE(init=begin.astype(np.float32), perplexity=perplexity, random_state=seed, n_jobs=1, **given)
    return np.asarray(made.fit_transform(features))
