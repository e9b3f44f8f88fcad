"""From committed segments to shards, and back again for the last block of a run that is to go on."""

import errno
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from nissl.core.store import absent
from nissl.errors import BadValue, DamagedTrace
from nissl.stores._format import row as rows
from nissl.stores._format import sealed, segment
from nissl.stores._format.hot import Hot
from nissl.stores._format.index import Index
from nissl.stores._format.place import Place
from nissl.stores._format.row import Row
from nissl.stores._format.shard import Grid, encode

Array = NDArray[Any]


def seal(place: Place, index: Index, block: Sequence[Row]) -> Index:
    """Write the shards of the block behind what is sealed. The index with its rows, and the damage that was met.

    Nothing that was there before is changed: until an index names these rows, nobody looks at the shards.
    """
    place.write_json(place.sealing, {"first": len(index.rows), "epochs": [row.epoch for row in block]})
    work, number = _Block(place, index, block), len(index.rows) // index.block
    for grid in index.grids.values():
        if any(grid.spec.key in row.arrays for row in block):
            for part in grid.shards():
                place.write(grid.file(number, part), encode(grid, work.values(grid, *grid.part(part))))
    done = (replace(row, parts=(), damage=work.damage[row.epoch]) for row in block)
    return replace(index, rows=(*index.rows, *done))


def clear(place: Place, block: Sequence[Row]) -> None:
    """Remove what a sealed block was made of; what was harmed is kept aside."""
    harmed = {row.epoch: bool(row.damage) for row in block}
    segments = [(who[0], place.segment(*who)) for who in place.segments() if who[0] in harmed]
    files = [*((epoch, place.commit(epoch)) for epoch in harmed), *segments]
    for epoch, file in files:
        if harmed[epoch]:
            place.keep(file, file.rpartition("/")[2])
    place.remove(*(file for _, file in files), place.sealing)


class _Block:
    """Reads the epochs of a block, one shard of one array at a time, and gathers what cannot be read."""

    def __init__(self, place: Place, index: Index, block: Sequence[Row]):
        self._place, self._specs, self._block = place, index.specs, block
        self._hot = Hot(place, index.run_id)
        self.damage = {row.epoch: dict(row.damage) for row in block}

    def values(self, grid: Grid, first: int, last: int) -> Array:
        """(epoch, unit, ...) of these units; what an epoch does not have, or cannot be read, is absent."""
        spec = grid.spec
        result = grid.empty(len(self._block), last - first)
        result[:] = absent(spec)

        def fill(one: tuple[int, Row]) -> None:
            at, row = one
            harmed = self.damage[row.epoch]
            if spec.key not in row.arrays or spec.key in harmed or rows.WHOLE in harmed:
                return
            try:
                result[at] = self._hot.read(row, spec, self._specs, first, last if spec.shape else None)
            except (DamagedTrace, BadValue, FileNotFoundError) as error:
                harmed[spec.key] = str(error)
            except OSError as error:
                if error.errno != errno.EIO:  # the disk cannot read its own sector: that is damage and stays so
                    raise
                harmed[spec.key] = str(error)

        self._place.each(fill, enumerate(self._block))
        return result


def unseal(place: Place, index: Index, first: int) -> Index:
    """Write the sealed epochs from this place on as segments and commits again; the index without them.

    Until that index is written, what this writes lies below its last epoch and counts for nothing.
    """
    for at, row in enumerate(index.rows[first:], first):
        damage, arrays = dict(row.damage), {}
        for key in sorted(row.arrays):
            if row.why(key) is None:
                grid = index.grids[key]
                try:
                    arrays[key] = sealed.read(place, grid, [at], 0, grid.units).reshape(grid.spec.shape)
                except (DamagedTrace, FileNotFoundError) as error:
                    damage[key] = str(error)
                    _aside(place, grid, at // index.block)
        size = segment.write(place, segment.Tag(index.run_id, row.epoch, 0, 1), arrays)
        rows.write(place, replace(row, parts=(size,), damage=damage))
    return replace(index, rows=index.rows[:first])


def _aside(place: Place, grid: Grid, block: int) -> None:
    """Keep copies of harmed shards that are about to be written anew."""
    for part in grid.shards():
        file = grid.file(block, part)
        place.keep(file, file.replace("/", "+"))
