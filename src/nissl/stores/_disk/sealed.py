"""Epochs that are sealed: one array over some of them, out of its shards."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.stores._disk.place import Place
from nissl.stores._disk.shard import Grid, decode

Array = NDArray[Any]
THREADS = 4  # unpacking lets go of the interpreter; more shards at once would only cost memory


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
        values = decode(grid, grid.file(place.root, block, index), rows, low - start, high - start)
        if grid.spec.shape:
            result[into, low - first : high - first] = values
        else:
            result[into] = values

    if result.nbytes < 1 << 20 or len(tasks) < 2:
        for task in tasks:
            fill(task)
    else:
        with ThreadPoolExecutor(min(THREADS, len(tasks))) as pool:
            list(pool.map(fill, tasks))
    return result
