"""A trace in a folder: written safely while training goes on, plain Zarr v3 when it is closed. docs/trace-format.md."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from nissl.core import admission
from nissl.core.store import ArraySpec, Entry, Record, Store
from nissl.errors import BadValue
from nissl.stores._disk import segment
from nissl.stores._disk.place import Place
from nissl.stores._disk.reader import Reader
from nissl.stores._disk.writer import Writer

Array = NDArray[Any]


class Disk(Store):
    """One run in the folder `path`.

    `durability`: "process" keeps every committed epoch when the process is killed, "power" also when the machine is.
    `block` epochs are sealed together. Rank 0 waits `patience` seconds for the other ranks' part of an epoch.
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
        self._declared: dict[str, ArraySpec] = {}  # by a rank that is not the writer

    def create(self, header: Mapping[str, Any]) -> None:
        self._writer = Writer.create(self._place, header, self._block, self._patience)

    def reopen(self) -> None:
        self._writer = Writer.reopen(self._place, self._patience)

    def join(self, run_id: str) -> None:
        """Needs nothing: a part names the run that it belongs to."""

    def declare(self, specs: Sequence[ArraySpec]) -> None:
        if self._writer is not None:
            self._writer.declare(specs)
        else:
            self._declared = admission.declared(self._declared, specs)

    def append(self, record: Record) -> int:
        if self._writer is not None and record.rank == 0:
            return self._writer.append(record)
        if record.rank == 0:
            raise BadValue(f"{self.path}: create or reopen this trace before writing to it.")
        view = self._reader.view()
        arrays = admission.arrays(record, {**view.index.specs, **self._declared}, view.last)
        return segment.write(
            self._place, segment.Tag(view.index.run_id, record.epoch, record.rank, record.world), arrays
        )

    def amend(self, changes: Mapping[str, Any]) -> None:
        if self._writer is None:
            raise BadValue(f"{self.path}: create or reopen this trace before writing to it.")
        self._writer.amend(changes)

    def close(self, *, wait: bool = True) -> None:
        if self._writer is not None:
            self._writer.close()

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
