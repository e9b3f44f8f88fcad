"""Tables smoothed along their sides: plain numpy, since an import of scipy's own takes longer than a small map."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def uniform(table: Array, size: int) -> Array:
    """(row, column, feature): each the mean of `size` (odd) by `size` around it; beyond a side it is as in a mirror."""
    weights = np.full(size, 1 / size)
    return _along(_along(table, weights, 0, "symmetric"), weights, 1, "symmetric")


def gaussian(table: Array, width: Array) -> Array:
    """(row, column, feature): each a mean of what is around it, less by a Gaussian of `width` (along rows and columns); beyond is 0."""
    for axis in (0, 1):
        reach = int(3 * width[axis] + 0.5)
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width[axis]) ** 2)
        table = _along(table, weights / weights.sum(), axis, "constant")
    return table


def _along(table: Array, weights: Array, axis: int, mode: Literal["symmetric", "constant"]) -> Array:
    reach, count = len(weights) // 2, table.shape[axis]
    padded = np.moveaxis(
        np.pad(table, [(reach, reach) if a == axis else (0, 0) for a in range(table.ndim)], mode), axis, 0
    )
    found = np.zeros(np.moveaxis(table, axis, 0).shape)
    for place, weight in enumerate(weights):
        found += weight * padded[place : place + count]
    return np.moveaxis(found, 0, axis)
