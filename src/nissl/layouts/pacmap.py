"""PaCMAP, where pacmap is installed: quick for many units, weaker on who is nearest."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.layout import Array, Layout, plane
from nissl.errors import BadValue, MissingDependency


@dataclass(frozen=True)
class Pacmap(Layout):
    """`neighbours`: how many each unit is held to."""

    needs: ClassVar[str] = "pacmap"
    neighbours: int = 10

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise BadValue(f"neighbours={self.neighbours}: from 1 on.")

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        try:
            from pacmap import PaCMAP
        except ImportError as error:
            raise MissingDependency(
                "by='pacmap' needs pacmap: pip install 'nissl[maps]'. Units are placed by 'grid' without it, and samples by 'tsne'."
            ) from error
        if len(features) < 12 or not np.ptp(features, 0).any():  # it looks for further pairs than there are
            return plane(features)
        known = np.pad(features, ((0, 0), (0, max(0, 2 - features.shape[1])))).astype(np.float32)
        begin = 0.01 * (plane(features) if start is None else start)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a seed means one thread
            made = PaCMAP(n_components=2, n_neighbors=self.neighbours, random_state=seed, apply_pca=False)
            return np.asarray(made.fit_transform(known, init=begin.astype(np.float32)))
