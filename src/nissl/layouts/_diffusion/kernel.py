"""Affinities: of units to their like at the same epoch, and of each unit to its own past and future."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = NDArray[Any]
DECAY = 6
"""How steeply affinity falls beyond the bandwidth within an epoch: a Gaussian's tails, of power 2, reach too many units."""
OWN = 10
"""Between epochs the bandwidth is the distance to a unit's tenth nearest epoch, on average: that is how far units drift."""
LEAST = 1e-3
"""Of affinities that count."""
HELD = 0.01
"""The least tie of a unit to itself an epoch later: however far it came, its path is one."""


def multislice(features: Array, neighbours: int) -> "csr_array":
    """(epoch and unit, epoch and unit), symmetric, of (epoch, unit, feature)."""
    from scipy.sparse import csr_array

    epochs, units = features.shape[:2]
    finest = 1e-6 * float(np.abs(features).max())
    parts = [
        _counted(_within(moment, neighbours, finest), units * place + np.arange(units))
        for place, moment in enumerate(features)
    ]
    if epochs > 1:
        wide = max(_drift(features), finest)
        parts += [_counted(_own(features[:, unit], wide), unit + units * np.arange(epochs)) for unit in range(units)]
    rows, columns, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    return csr_array((weights, (rows, columns)), (epochs * units, epochs * units))


def _counted(near: Array, points: Array) -> tuple[Array, Array, Array]:
    """Rows, columns and weights of the affinities of some points that count."""
    row, column = np.nonzero(near > LEAST)
    return points[row].astype(np.int32), points[column].astype(np.int32), near[row, column].astype(np.float32)


def _own(course: Array, wide: float) -> Array:
    """Of one unit's epochs (epoch, feature) to each other."""
    tie: Array = np.exp(-((apart(course, course) / wide) ** 2))
    np.fill_diagonal(tie, 0)  # a unit is itself once
    before, following = np.arange(len(course) - 1), np.arange(1, len(course))
    tie[following, before] = tie[before, following] = np.maximum(tie[before, following], HELD)
    return tie


def _within(moment: Array, neighbours: int, finest: float) -> Array:
    far = apart(moment, moment)
    at = min(neighbours, len(moment) - 1)
    wide = np.maximum(np.partition(far, at, 1)[:, at, None], finest)
    near = np.exp(-((far / wide) ** DECAY))
    found: Array = (near + near.T) / 2
    return found


def _drift(features: Array) -> float:
    """How far a unit is from its tenth nearest epoch, on average over units and epochs."""
    epochs, units = features.shape[:2]
    at = min(OWN, epochs - 1)
    each = [np.partition(apart(features[:, u], features[:, u]), at, 1)[:, at].mean() for u in range(units)]
    return float(np.mean(each))


def apart(one: Array, other: Array) -> Array:
    """Euclidean distances (row, row)."""
    square = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    found: Array = np.sqrt(np.maximum(square, 0, out=square), out=square)
    return found
