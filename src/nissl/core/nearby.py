"""Points near other points, and what these say where they stand: numpy alone, in pieces of bounded size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PIECE = 4_000_000
"""The most distances that are held at a time."""


def nearest_of(points: Array, to: Array, k: int) -> tuple[Array, Array]:
    """The k of `points` that are nearest to each of `to`, nearest first, and their distances: (to, k) each."""
    points, to = np.asarray(points, np.float64), np.asarray(to, np.float64)
    centre = points.mean(0)  # large offsets would eat the digits of the difference
    points, to = points - centre, to - centre
    square, k = (points**2).sum(1), min(k, len(points))
    which, apart = np.empty((len(to), k), np.intp), np.empty((len(to), k))
    step = max(1, PIECE // len(points))
    for first in range(0, len(to), step):
        some = slice(first, first + step)
        found = square - 2 * to[some] @ points.T
        near = np.argpartition(found, k - 1, 1)[:, :k] if k < len(points) else np.tile(np.arange(k), (len(found), 1))
        near.sort(1)  # of equally near ones the earlier comes first
        value = np.take_along_axis(found, near, 1)
        order = value.argsort(1, kind="stable")
        which[some] = np.take_along_axis(near, order, 1)
        apart[some] = np.take_along_axis(value, order, 1) + (to[some] ** 2).sum(1, keepdims=True)
    return which, np.sqrt(np.maximum(apart, 0))


def weights(apart: Array, soft: float = 1e-6) -> Array:
    """How much each of some neighbours counts, from how far away each is: as 1 over the square; (place, k), rows add up to 1.

    `soft`: what is added to the square, in units of the median's; the more, the less the very nearest decides alone.
    """
    scale = np.median(apart, 1, keepdims=True)
    near = 1 / ((apart / np.where(scale > 0, scale, 1)) ** 2 + soft)
    found: Array = near / near.sum(1, keepdims=True)
    return found


def beside(points: Array, positions: Array, new: Array, k: int = 10) -> Array:
    """A place for each new point: the mean of its k nearest points' places, the nearer the weightier."""
    which, apart = nearest_of(points, new, k)
    found: Array = np.einsum("nk,nkd->nd", weights(apart), positions[which])
    return found
