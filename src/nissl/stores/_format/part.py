"""What a rank other than 0 writes of a run: its part of every epoch, and at the end that no more will come."""

import json
from collections.abc import Sequence
from contextlib import suppress

from nissl.core import admission
from nissl.core.store import ArraySpec, Record
from nissl.errors import BadValue
from nissl.stores._format import index as indices
from nissl.stores._format import segment
from nissl.stores._format.index import Index
from nissl.stores._format.place import Place
from nissl.stores._format.reader import Reader
from nissl.stores._format.row import number


class Part:
    """Waits for nobody and holds no lock."""

    def __init__(self, place: Place, reader: Reader, run_id: str, rank: int):
        if rank < 1:
            raise BadValue(f"{place.root}: rank {rank} cannot join; rank 0 creates or reopens the trace.")
        self._place, self._reader, self._run_id, self._rank = place, reader, run_id, rank
        self._specs: dict[str, ArraySpec] = {}
        self._last: int | None = None
        self._index()
        place.remove(place.gone(rank))

    def declare(self, specs: Sequence[ArraySpec]) -> None:
        self._specs = admission.declared(self._specs | self._index().specs, specs)

    def append(self, record: Record) -> int:
        index = self._index()
        known = self._specs | index.specs
        arrays = admission.arrays(record, known, self._last)
        if record.rank != self._rank:
            raise BadValue(f"{self._place.root}: rank {self._rank} was given what rank {record.rank} saw.")
        self._last = record.epoch
        if record.epoch <= index.last or self._place.exists(self._place.commit(record.epoch)):
            return 0  # too late
        new = [known[key] for key in arrays if key not in index.specs]
        tag = segment.Tag(self._run_id, record.epoch, record.rank, record.world)
        return segment.write(self._place, tag, arrays, beside(record, new))

    def close(self) -> None:
        with suppress(FileNotFoundError):  # rank 0 has closed the run
            if not self._reader.index.closed:
                self._place.write(self._place.gone(self._rank), [self._run_id.encode()])

    def _index(self) -> Index:
        index = self._reader.index
        if index.run_id != self._run_id:
            raise BadValue(
                f"{self._place.root}: the run here is {index.run_id}, not {self._run_id}, which rank 0 writes."
            )
        if index.closed:
            raise BadValue(f"{self._place.root}: rank 0 has closed this trace; rank {self._rank} comes too late.")
        return index


def beside(record: Record, new: Sequence[ArraySpec] = ()) -> dict[str, str]:
    """What a part's metadata say besides: its scalars, their weight, and arrays that rank 0 may not know of."""
    scalars = {name: number(value) for name, value in admission.scalars(record).items()}
    said = {"scalars": json.dumps(scalars), "weight": repr(float(record.weight))}
    return said | ({"declared": json.dumps([indices.described(spec) for spec in new])} if new else {})
