"""Which unit of one run answers to which of another: by the correlation of what they respond to."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change.twins import Matching

Array = NDArray[Any]
FEW = 512
"""Units of a layer that the shuffled ones are made of, where there are more."""


def matched(one: Array, other: Array, rng: np.random.Generator, draws: int = 20, *, kin: bool = False) -> Matching:
    """Of responses (unit, point) to the same points: the assignment with the largest sum of correlations; `kin`: each to its own number."""
    table = correlations(one, other)
    every = np.arange(len(one))
    pairs: tuple[Array, Array, Array] = (every, every, np.diagonal(table)) if kin else _assigned(table)
    few, many = (rows[_some(len(rows), rng)] for rows in (one, other))
    shuffled = [_assigned(correlations(rng.permuted(few, axis=1), many))[2] for _ in range(draws)]
    return Matching(*pairs, np.sort(np.concatenate(shuffled)))


def correlations(one: Array, other: Array) -> Array:
    """(unit, unit) Pearson correlations of rows; 0 where a row does not vary."""
    found: Array = _unit(one) @ _unit(other).T
    return found


def _unit(rows: Array) -> Array:
    centred = np.nan_to_num(rows - rows.mean(1, keepdims=True))
    size = np.linalg.norm(centred, axis=1, keepdims=True)
    level = 1e-9 * np.abs(rows).max(initial=0.0)
    return np.divide(centred, size, out=np.zeros_like(centred), where=size > level)


def _assigned(table: Array) -> tuple[Array, Array, Array]:
    from scipy.optimize import linear_sum_assignment

    own = 1e-6 * np.eye(*table.shape)  # where nothing else decides, as with units that never answer
    one, other = linear_sum_assignment(table + own, maximize=True)
    return one, other, table[one, other]


def _some(count: int, rng: np.random.Generator) -> Array:
    return np.sort(rng.choice(count, FEW, replace=False)) if count > FEW else np.arange(count)
