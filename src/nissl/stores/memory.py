"""A trace in this process's memory: gone with it, and the reference for every other store."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import admission
from nissl.core.store import ArraySpec, Entry, Record, Store, absent
from nissl.errors import BadValue, NoTrace, TraceBusy, TraceExists, Unsupported

Array = NDArray[Any]


class Memory(Store):
    """Keeps every epoch as it was given. `path` is only a name for messages."""

    def __init__(self, path: object = "memory"):
        self.path = path
        self._header: dict[str, Any] | None = None
        self._specs: dict[str, ArraySpec] = {}
        self._kept: dict[int, tuple[Entry, dict[str, Array]]] = {}
        self._writing = False

    def create(self, header: Mapping[str, Any]) -> None:
        if self._writing:
            raise TraceBusy(f"{self.path}: this trace is being written already.")
        if self._header is not None:
            raise TraceExists(f"{self.path}: there is a trace here already; reopen it or choose another place.")
        self._header, self._writing = admission.kept(header), True

    def reopen(self) -> None:
        if self._writing:
            raise TraceBusy(f"{self.path}: this trace is being written already.")
        self._there()
        self._writing = True

    def declare(self, specs: Sequence[ArraySpec]) -> None:
        self._specs = admission.declared(self._specs, specs)

    def append(self, record: Record) -> int:
        if not self._writing:
            raise BadValue(f"{self.path}: create or reopen this trace before writing to it.")
        arrays = admission.arrays(record, self._specs, max(self._kept, default=None))
        if record.world > 1:
            raise Unsupported(f"{self.path}: a trace in memory belongs to one process, not to {record.world}.")
        mine = {key: array.copy() for key, array in arrays.items()}
        entry = Entry(record.epoch, admission.scalars(record), time.time(), frozenset(mine))
        self._kept[record.epoch] = entry, mine
        return sum(array.nbytes for array in mine.values())

    def amend(self, changes: Mapping[str, Any]) -> None:
        if not self._writing:
            raise BadValue(f"{self.path}: create or reopen this trace before writing to it.")
        self._header = self._there() | admission.kept(changes)

    def close(self, *, wait: bool = True) -> None:
        self._writing = False

    @property
    def header(self) -> Mapping[str, Any]:
        return self._there() | {"closed": not self._writing}

    @property
    def specs(self) -> Mapping[str, ArraySpec]:
        self._there()
        return dict(self._specs)

    def entries(self) -> tuple[Entry, ...]:
        self._there()
        return tuple(entry for entry, _ in self._kept.values())

    def read(self, key: str, epochs: Sequence[int], where: tuple[slice, ...] = ()) -> Array:
        self._there()
        spec = admission.spec_of(key, self._specs)
        cut = admission.window(spec, where)
        empty = np.full(spec.shape, absent(spec), spec.dtype)
        rows = []
        for epoch in epochs:
            if epoch not in self._kept:
                raise admission.unknown_epoch(epoch, tuple(self._kept))
            rows.append(self._kept[epoch][1].get(key, empty)[cut])
        return np.stack(rows) if rows else np.empty((0, *empty[cut].shape), spec.dtype)

    def _there(self) -> dict[str, Any]:
        if self._header is None:
            raise NoTrace(f"{self.path}: there is no trace here.")
        return self._header
