"""Who reckons: openTSNE, scikit-learn, or where neither is installed the principal components."""

import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layout import plane
from nissl.errors import NisslWarning
from nissl.layouts._tsne.beginning import native, scaled

if TYPE_CHECKING:
    from nissl.layouts.tsne import Tsne

Array = NDArray[Any]
Steps = Iterator[tuple[float, Array]]
Engine = Callable[["Tsne", Array, Array | None, int], Steps]
HOW = "pip install 'nissl[maps]'"


def engine() -> Engine:
    """The best that is installed."""
    if find_spec("openTSNE") is not None:
        from nissl.layouts._tsne.swift import swift

        return swift
    if find_spec("sklearn") is not None:
        return plain
    return principal_components


def plain(how: "Tsne", features: Array, start: Array | None, seed: int) -> Steps:
    """scikit-learn's: slower from some thousands of points on, and from given places not as gentle."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    yield 0.0, plane(features)
    perplexity = min(how.perplexity, (len(features) - 1) / 3)
    first = native(start) if start is not None else scaled(features)
    made = TSNE(
        perplexity=perplexity, init=first.astype(np.float32), random_state=seed, n_jobs=how.jobs,
        max_iter=250 + how.iterations if start is None else max(250, how.warm),  # it takes no fewer
        early_exaggeration=1.0 if start is not None else 12.0,
    )  # fmt: skip
    with threadpool_limits(how.jobs, "openmp"):  # its gradient would take every core whatever n_jobs says
        places = made.fit_transform(features)
    yield 1.0, places


def principal_components(_: "Tsne", features: Array, __: Array | None, ___: int) -> Steps:
    """Better than nothing, and it says so."""
    warnings.warn(
        f"nissl: no t-SNE is installed: the picture is the first two principal components. {HOW}",
        NisslWarning,
        stacklevel=2,
    )
    yield 1.0, plane(features)
