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


def realism(net: Network, layer: str | None, sample: Array, pictures: Array, batch: int) -> Array:
    """For each picture the share of real inputs that are at least as far from their nearest; 0: it is stranger than all.

    Far in what the layer makes of them, or (None) in the inputs themselves. One half of the sample is compared with the other.
    """
    order = np.random.default_rng(0).permutation(len(sample))[:MOST]
    real, drawn = (_rows(net, layer, x, batch) for x in (sample[order], pictures))
    known, held = np.array_split(real, 2)
    usual, found = (_distance(known, rows) for rows in (held, drawn))
    return np.asarray((usual >= found[:, None] * (1 - 1e-9)).mean(1))


def _rows(net: Network, layer: str | None, x: Array, batch: int) -> Array:
    if layer is None:
        return x.reshape(len(x), -1)
    found = said(net, x, layer, batch)
    return np.moveaxis(found, net.layer(layer).batch_axis, 0).reshape(len(x), -1).astype(float)


def _distance(known: Array, rows: Array) -> Array:
    """Each row's mean distance to its nearest among the known."""
    squares = (rows**2).sum(1)[:, None] - 2 * rows @ known.T + (known**2).sum(1)
    k = min(NEAREST, len(known))
    return np.asarray(np.sqrt(np.maximum(np.partition(squares, k - 1, 1)[:, :k], 0)).mean(1))
