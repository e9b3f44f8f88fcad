"""UMAP, where umap-learn is installed: what belongs together lies in clumps."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.layout import Array, Layout, fitted, plane
from nissl.errors import BadValue, MissingDependency


@dataclass(frozen=True)
class Umap(Layout):
    """`neighbours`: how many each unit is held to."""

    needs: ClassVar[str] = "umap"
    neighbours: int = 15

    def __post_init__(self) -> None:
        if self.neighbours < 2:
            raise BadValue(f"neighbours={self.neighbours}: from 2 on.")

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        try:
            from umap import UMAP
        except ImportError as error:
            raise MissingDependency(
                "by='umap' needs umap-learn: pip install umap-learn. Units are placed as well by 'grid', which needs nothing, and samples by "
                "'tsne'."
            ) from error
        features = np.pad(features, ((0, 0), (0, max(0, 2 - features.shape[1]))))
        if len(features) < 5:
            return plane(features)
        # not its spectral start, which differs from run to run where units are few
        begin = 10 * (fitted(plane(features)) if start is None else start)
        begin = begin + np.random.default_rng(seed).normal(0, 1e-3, begin.shape)  # it divides by the start's extent
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a seed means one thread
            held = min(self.neighbours, len(features) - 1)
            made = UMAP(n_components=2, n_neighbors=held, init=begin, random_state=seed, n_jobs=1)
            return np.asarray(made.fit_transform(features))
