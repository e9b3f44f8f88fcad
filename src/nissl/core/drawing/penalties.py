"""What speaks against a picture, whatever it shows: roughness, and likeness to the others of its target."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SMALL = 1e-4


def roughness(planes: Array) -> tuple[Array, Array]:
    """Total variation: the mean length of the step from pixel to pixel, one number a picture; and its slopes."""
    down, along = np.diff(planes, axis=2, append=planes[:, :, -1:]), np.diff(planes, axis=3, append=planes[..., -1:])
    length = np.sqrt(down**2 + along**2 + SMALL**2)
    size = planes[0].size
    found = np.zeros_like(planes)
    for axis, step in ((2, down), (3, along)):
        flow = step / length
        found -= flow
        found += np.roll(flow, 1, axis)  # the last step is 0, so that nothing comes round
    return (length - SMALL).sum((1, 2, 3)) / size, found / size


def sameness(pictures: Array, which: Array) -> tuple[Array, Array]:
    """For each picture the mean cosine of the angle to the others of its target; and the slopes of the sum of these."""
    away = pictures.reshape(len(pictures), -1)
    length = np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    along = away / length
    mine = (which[:, None] == which) & ~np.eye(len(which), dtype=bool)
    share = mine / np.maximum(mine.sum(1, keepdims=True), 1)
    cosines = along @ along.T
    pull = (share + share.T) @ along
    slopes = (pull - along * (pull * along).sum(1, keepdims=True)) / length
    return (share * cosines).sum(1), slopes.reshape(pictures.shape)


def sparing(cost: Array, wanted: Array) -> Array:
    """A cost's slopes without what would go against what is wanted: it shall lead aside, and not back."""
    flat, goal = cost.reshape(len(cost), -1), wanted.reshape(len(cost), -1)
    along = np.maximum((flat * goal).sum(1), 0) / np.maximum((goal**2).sum(1), 1e-300)
    return np.asarray(cost - along.reshape(-1, *[1] * (cost.ndim - 1)) * wanted)
