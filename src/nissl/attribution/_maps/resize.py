"""Maps of another size, linearly between the centres of positions, along any number of axes."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def resized(maps: Array, shape: tuple[int, ...]) -> Array:
    """Maps (example, position ...) with these many positions."""
    for axis, size in enumerate(shape, 1):
        if maps.shape[axis] != size:
            maps = np.moveaxis(
                np.moveaxis(maps, axis, -1) @ _between(maps.shape[axis], size).astype(maps.dtype), -1, axis
            )
    return np.ascontiguousarray(maps)


def _between(have: int, want: int) -> Array:
    """What each position that there is counts for each that is wanted, (have, want)."""
    at = np.clip((np.arange(want) + 0.5) * have / want - 0.5, 0, have - 1)
    left = np.minimum(np.floor(at).astype(int), max(have - 2, 0))
    found = np.zeros((have, want))
    found[left, np.arange(want)] = 1 - (at - left)
    found[np.minimum(left + 1, have - 1), np.arange(want)] += at - left
    return found
