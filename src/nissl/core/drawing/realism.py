"""How like real inputs pictures are: as far from their nearest as real ones are that nobody compared with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.drawing.wish import said
from nissl.core.network import Network

Array = NDArray[Any]
NEAREST, MOST = 5, 2000
LEAST = 20
"""Fewer real inputs say nothing of how far apart they are."""


class Realism:
    """Real inputs, one half of which is compared with the other: once, for all pictures that come.

    Far is what is far in what `layer` makes of it, or (None) in the inputs themselves.
    """

    def __init__(self, net: Network, layer: str | None, sample: Array, batch: int):
        self._net, self._layer, self._batch = net, layer, batch
        real = self._rows(sample[np.random.default_rng(0).permutation(len(sample))[:MOST]])
        self._known, held = np.array_split(real, 2)
        self._usual = _distance(self._known, held)

    def __call__(self, pictures: Array) -> Array:
        """For each picture the share of real inputs that are at least as far from their nearest; 0: it is stranger than all."""
        found = _distance(self._known, self._rows(pictures))
        return np.asarray((self._usual >= found[:, None] * (1 - 1e-9)).mean(1))

    def _rows(self, x: Array) -> Array:
        if self._layer is None:
            return x.reshape(len(x), -1)
        found = said(self._net, x, self._layer, self._batch)
        return np.moveaxis(found, self._net.layer(self._layer).batch_axis, 0).reshape(len(x), -1).astype(float)


def _distance(known: Array, rows: Array) -> Array:
    """Each row's mean distance to its nearest among the known."""
    squares = (rows**2).sum(1)[:, None] - 2 * rows @ known.T + (known**2).sum(1)
    k = min(NEAREST, len(known))
    return np.asarray(np.sqrt(np.maximum(np.partition(squares, k - 1, 1)[:, :k], 0)).mean(1))
