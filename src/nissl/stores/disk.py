"""A trace in a folder: written safely while training goes on, plain Zarr v3 when it is closed. docs/trace-format.md."""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count, groupby
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Entry, Record, Store
from nissl.errors import BadValue
from nissl.stores._disk.part import Part
from nissl.stores._disk.place import Place
from nissl.stores._disk.reader import Reader
from nissl.stores._disk.writer import Writer

Array = NDArray[Any]


class Disk(Store):
    """One run in the folder `path`.

    `durability`: "process" keeps every committed epoch when the process is killed, "power" also when the machine is.
    `block` epochs are sealed together. An epoch is committed without the ranks whose part is not there `patience` seconds
    after rank 0's own.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Literal["process", "power"] = "process",
        block: int = 20,
        patience: float = 600.0,
    ):
        if durability not in {"process", "power"}:
            raise BadValue(f"durability is 'process' or 'power', not {durability!r}.")
        if block < 1:
            raise BadValue(f"At least one epoch is sealed at a time, not {block}.")
        self.path = Path(path)
        self._block, self._patience = block, patience
        self._place = Place(self.path, power=durability == "power")
        self._reader = Reader(self._place)
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
            raise BadValue(f"{self.path}: create or reopen this trace before writing to it.")
        self._writer.amend(changes)

    def close(self, *, wait: bool = True) -> None:
        if self._writer is not None:
            self._writer.close(wait=wait)
        if self._part is not None:
            self._part.close()
            self._part = None

    def _writes(self) -> Writer | Part:
        """Rank 0's way to write, or another's."""
        found = self._part or self._writer
        if found is None:
            raise BadValue(f"{self.path}: create, reopen or join this trace before writing to it.")
        return found

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
        blocks = [index.position.get(epoch, -1) for epoch in epochs]
        blocks = [(next(later) if at < 0 else at) // index.block for at in blocks]
        return tuple(len(list(same)) for _, same in groupby(blocks)), index.grids[key].chunk

    def __reduce__(self) -> tuple[Any, ...]:
        return _reader, (self.path.absolute(),)


@lru_cache(maxsize=8)
def _reader(path: Path) -> Disk:
    """Whoever is sent a trace, task by task, reads its index once; what has changed since is seen as ever."""
    return Disk(path)
