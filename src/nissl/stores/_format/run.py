"""A run as a store: what the folder and the object store have in common, which is everything but where the files are."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count, groupby
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Entry, Record, Store
from nissl.errors import BadValue
from nissl.stores._format.part import Part
from nissl.stores._format.place import Place
from nissl.stores._format.reader import Reader
from nissl.stores._format.writer import Writer

Array = NDArray[Any]


class Run(Store):
    """One run at a place.

    `block` epochs are sealed together. An epoch is committed without the ranks whose part is not there `patience` seconds
    after rank 0's own.
    """

    path: Path | str

    def __init__(self, place: Place, block: int, patience: float):
        if block < 1:
            raise BadValue(f"At least one epoch is sealed at a time, not {block}.")
        self._place, self._block, self._patience = place, block, patience
        self._reader = Reader(place)
        self._writer: Writer | None = None
        self._part: Part | None = None  # where this is not rank 0

    def create(self, header: Mapping[str, Any]) -> None:
        self._writer = Writer.create(self._place, header, self._block, self._patience)

    def reopen(self) -> None:
        self._writer = Writer.reopen(self._place, self._patience)

    def join(self, run_id: str, rank: int) -> None:
        self._part = Part(self._place, self._reader, run_id, rank)

    def declare(self, specs: Sequence[ArraySpec]) -> None:
        self._writes().declare(specs)

    def append(self, record: Record) -> int:
        return self._writes().append(record)

    def amend(self, changes: Mapping[str, Any]) -> None:
        if self._writer is None:
            raise BadValue(f"{self._place.root}: create or reopen this trace before writing to it.")
        self._writer.amend(changes)

    def close(self, *, wait: bool = True) -> None:
        if self._writer is not None:
            self._writer.close(wait=wait)
        if self._part is not None:
            self._part.close()

    def delete(self) -> None:
        self.reopen()
        self.close()
        self._place.remove_folder()

    @property
    def header(self) -> Mapping[str, Any]:
        return self._reader.header

    @property
    def specs(self) -> Mapping[str, ArraySpec]:
        return dict(self._writer.specs if self._writer is not None and self._writer.open else self._reader.index.specs)

    def entries(self) -> tuple[Entry, ...]:
        return self._reader.entries()

    def read(self, key: str, epochs: Sequence[int], where: tuple[slice, ...] = ()) -> Array:
        return self._reader.read(key, epochs, where)

    def together(self, key: str, epochs: Sequence[int]) -> tuple[tuple[int, ...], int]:
        index = self._reader.index
        later = count(len(index.rows))  # where epochs that are not sealed will be
        places = [index.position.get(epoch, -1) for epoch in epochs]
        blocks = [(next(later) if at < 0 else at) // index.block for at in places]
        return tuple(len(list(same)) for _, same in groupby(blocks)), index.grids[key].chunk

    def __reduce__(self) -> tuple[Any, ...]:
        return _reader, (type(self), self.path.absolute() if isinstance(self.path, Path) else self.path)

    def files(self) -> Mapping[str, int]:
        return self._place.sizes()

    def file(self, name: str) -> bytes:
        with self._place.open(name) as found:
            return found.at(0, found.identity[1])

    def _writes(self) -> Writer | Part:
        """Rank 0's way to write, or another's."""
        found = self._part or self._writer
        if found is None:
            raise BadValue(f"{self._place.root}: create, reopen or join this trace before writing to it.")
        return found


@lru_cache(maxsize=8)
def _reader(kind: Any, path: Path | str) -> Run:
    """Whoever is sent a run, task by task, reads its index once; what has changed since is seen as ever."""
    made: Run = kind(path)
    return made
