"""Epochs that are sealed: one array over some of them, out of its shards."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.stores._format.place import Place
from nissl.stores._format.shard import Grid, decode

Array = NDArray[Any]
HEAVY = 1 << 20  # bytes from which on unpacking is worth more than one thread


def read(place: Place, grid: Grid, positions: Sequence[int], first: int, last: int) -> Array:
    """The epochs at these places along the axis, and the units `first` to `last`."""
    result = grid.empty(len(positions), last - first)
    places = np.asarray(positions, np.int64)
    tasks = []
    for block in np.unique(places // grid.block):
        into = np.flatnonzero(places // grid.block == block)
        for index in grid.shards():
            low, high = grid.part(index)
            if max(low, first) < min(high, last):
                tasks.append((int(block), index, into))

    def fill(task: tuple[int, int, Array]) -> None:
        block, index, into = task
        start = index * grid.shard
        low, high = max(grid.part(index)[0], first), min(grid.part(index)[1], last)
        rows = [int(at) for at in places[into] % grid.block]
        values = decode(grid, place, grid.file(block, index), rows, low - start, high - start)
        if grid.spec.shape:
            result[into, low - first : high - first] = values
        else:
            result[into] = values

    place.each(fill, tasks, heavy=result.nbytes >= HEAVY)
    return result
