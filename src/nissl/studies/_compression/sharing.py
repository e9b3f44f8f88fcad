"""Trained quantisation's first half (Han, Mao and Dally, ICLR 2016): values divided into groups that share one value."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
ROUNDS = 300


def shared(values: Array, groups: int) -> tuple[Array, Array]:
    """k-means of numbers: (centre, the number of each value's centre), centres rising.

    It begins with centres at equal distances from the least to the largest value: of the paper's three beginnings the one
    that keeps large weights, which are few and matter most. Nothing is drawn, so that the same values give the same groups.
    """
    known = np.unique(values)
    if len(known) <= groups:
        return known, np.searchsorted(known, values)
    order = np.sort(values.astype(np.float64))
    sums = np.concatenate([[0.0], np.cumsum(order)])
    centres = np.linspace(order[0], order[-1], groups)
    for _ in range(ROUNDS):
        edges = np.concatenate([[0], np.searchsorted(order, _between(centres)), [len(order)]])
        many = np.diff(edges)
        moved = np.where(many > 0, np.diff(sums[edges]) / np.maximum(many, 1), centres)
        if np.array_equal(moved, centres):
            break
        centres = np.sort(moved)
    which = np.searchsorted(_between(centres), values)
    used, which = np.unique(which, return_inverse=True)
    return centres[used].astype(values.dtype), which.reshape(-1)


def _between(centres: Array) -> Array:
    return (centres[1:] + centres[:-1]) / 2
