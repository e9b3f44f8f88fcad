"""Epochs that are committed and not sealed yet: one segment for each rank, merged as they are read."""

import threading
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from nissl.core.merge import merged, siblings
from nissl.core.store import ArraySpec
from nissl.errors import DamagedTrace
from nissl.stores._format.place import Place
from nissl.stores._format.row import Row
from nissl.stores._format.segment import Segment, Tag

Array = NDArray[Any]
KEPT = 512  # headers of segments kept in memory


class Hot:
    """Reads segments; keeps their headers, and remembers what has been checked."""

    def __init__(self, place: Place, run_id: str):
        self._place, self.run_id = place, run_id
        self._open: dict[Tag, Segment] = {}
        self._mutex = threading.Lock()

    def read(
        self, row: Row, spec: ArraySpec, specs: Mapping[str, ArraySpec], first: int = 0, last: int | None = None
    ) -> Array:
        """One array of an epoch, or some of its units; FileNotFoundError where a segment is not there (any more)."""
        try:
            return self._read(row, spec, specs, first, last)
        except FileNotFoundError:  # written anew, perhaps
            with self._mutex:
                self._open.clear()
            return self._read(row, spec, specs, first, last)

    def _read(self, row: Row, spec: ArraySpec, specs: Mapping[str, ArraySpec], first: int, last: int | None) -> Array:
        parts = [self.segment(row, rank) for rank, size in enumerate(row.parts) if size is not None]
        parts = [part for part in parts if spec.key in part.names]
        if not parts:
            raise DamagedTrace(
                f"{self._place.where(self._place.segment(row.epoch, 0))}: {spec.key} was committed and is not there."
            )
        if len(row.parts) == 1:
            return parts[0].read(spec, first, last)
        wanted = [spec, *(specs[key] for key in siblings(spec, specs))]
        cut = [
            {one.key: _cut(part, one, spec, first, last) for one in wanted if one.key in part.names} for part in parts
        ]
        return merged(spec, cut, specs)

    def segment(self, row: Row, rank: int) -> Segment:
        tag = Tag(self.run_id, row.epoch, rank, len(row.parts))
        with self._mutex:
            kept = self._open.pop(tag, None)
        found = kept or Segment(self._place, tag)
        if found.identity[1] != row.parts[rank]:
            raise DamagedTrace(f"{found.path}: {found.identity[1]} bytes of the {row.parts[rank]} that were committed.")
        with self._mutex:
            self._open[tag] = found
            while len(self._open) > KEPT:
                self._open.pop(next(iter(self._open)))
        return found


def _cut(part: Segment, sibling: ArraySpec, spec: ArraySpec, first: int, last: int | None) -> Array:
    """A sibling, cut along the dimension along which the array itself is."""
    along = spec.dims[0] if spec.dims else None
    if along not in sibling.dims:
        return part.read(sibling)
    axis = sibling.dims.index(along)
    return (
        part.read(sibling, first, last)
        if axis == 0
        else part.read(sibling)[(*[slice(None)] * axis, slice(first, last))]
    )
