"""openTSNE with exact neighbours: of few points from the principal components, of many from a layout of some of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layout import plane
from nissl.core.nearby import beside
from nissl.layouts._tsne.beginning import native, scaled

if TYPE_CHECKING:
    from nissl.layouts.tsne import Tsne

Array = NDArray[Any]
Steps = Iterator[tuple[float, Array]]
MANY, SOME = 10_000, 2_500
"""From so many points on, so many of them are laid out first: that is a preview, and where the rest begins."""
GATHER, EXAGGERATION, PIECE = 250, 12.0, 25
SPREAD = 10.0


def swift(how: "Tsne", features: Array, start: Array | None, seed: int) -> Steps:
    """The share that is done, and the places so far."""
    features = np.ascontiguousarray(features, np.float32)
    if start is not None:
        yield from _moved(how, features, native(start), [(1.0, how.warm)], seed, 0.0)
        return
    if len(features) < MANY:
        yield from _moved(how, features, scaled(features), [(EXAGGERATION, GATHER), (1.0, how.iterations)], seed, 0.0)
        return
    draw = np.random.default_rng(seed)
    some = np.sort(draw.permutation(len(features))[:SOME])
    few = features[:0]
    for share, few in swift(how, features[some], None, seed):  # noqa: B007 - the last one is gone on from
        if share < 1:
            yield 0.1 * share, plane(features)
    first = beside(features[some], few, features)
    yield 0.1, first
    first = SPREAD * first / first.std() + draw.normal(0, 1e-2, first.shape)
    yield from _moved(how, features, first, [(1.0, how.iterations)], seed, 0.1)


def _moved(how: "Tsne", features: Array, places: Array, plan: list[tuple[float, int]], seed: int, done: float) -> Steps:
    from openTSNE import TSNEEmbedding

    near = _affinities(how, features)
    method = "fft" if len(features) > 3000 else "bh"
    made = TSNEEmbedding(
        np.ascontiguousarray(places, np.float64), near, negative_gradient_method=method, n_jobs=how.jobs, random_state=seed,
        ints_in_interval=2,
    )  # fmt: skip
    whole, so_far = sum(count for _, count in plan), 0
    for exaggeration, count in plan:
        left = count
        while left:
            part = min(PIECE, left)
            made.optimize(
                part,
                inplace=True,
                exaggeration=exaggeration,
                momentum=0.8,
                learning_rate=_rate(len(features), exaggeration),
            )
            left, so_far = left - part, so_far + part
            yield done + (1 - done) * so_far / whole, np.array(made)


def _rate(count: int, exaggeration: float) -> float:
    """The least of 200 that is often taken makes some hundred points tremble: frames would jump four times as far."""
    return max(10.0, count / exaggeration)


def _affinities(how: "Tsne", features: Array) -> Any:
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors
    from sklearn.neighbors import NearestNeighbors

    perplexity = min(how.perplexity, (len(features) - 1) / 3)
    k = min(max(int(3 * perplexity), 2), len(features) - 1)
    far, near = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=how.jobs).fit(features).kneighbors()
    index = PrecomputedNeighbors(near, far)
    return PerplexityBasedNN(knn_index=index, perplexity=perplexity, n_jobs=how.jobs, random_state=0)
