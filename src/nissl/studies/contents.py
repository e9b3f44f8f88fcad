"""`contents`: what is in a run's folder, array by array, also while it is being recorded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nissl.core.trace import Trace
from nissl.core.trace import open as opened


@dataclass(frozen=True)
class Part:
    """A layer, or (name "") what belongs to the whole network."""

    name: str
    kind: str
    units: int
    unit: str
    arrays: Mapping[str, int]
    """Array -> bytes on disk; 0 where it has only been declared or lies in epochs that are not sealed yet."""
    names: tuple[str, ...]
    """Everything that can be asked for."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What `contents` finds."""

    trace: Trace
    parts: tuple[Part, ...]
    total: int
    """Bytes of everything in the folder."""
    unsealed: int
    """Bytes of it that lie in epochs not folded into Zarr yet."""
    raw: int
    """Bytes that the recorded values would take uncompressed."""

    @property
    def epochs(self) -> list[int]:
        return self.trace.epochs

    @property
    def costs(self) -> Mapping[str, Any]:
        """Bytes written and seconds spent; known once the recording is closed."""
        found: Mapping[str, Any] = self.trace.header.get("costs", {})
        return found


def contents(path: str | Path) -> Contents:
    """Everything that the run at `path` holds, and the room that it takes."""
    trace = opened(path)
    files = trace.store.files()
    parts = []
    for layer in (*trace.layers, None):
        arrays = {spec.name: _bytes(files, spec.key) for spec in trace.specs(layer)}
        if layer is not None:
            place = trace.place(layer)
            parts.append(Part(layer, place.kind, trace.units(layer), place.unit, arrays, trace.names(layer)))
        elif arrays:
            parts.append(Part("", "network", 0, "", arrays, trace.names(None)))
    held = [key for entry in trace.entries for key in entry.arrays]
    raw = sum(np.dtype(s.dtype).itemsize * math.prod(s.shape) for s in map(trace.store.specs.__getitem__, held))
    return Contents(trace, tuple(parts), sum(files.values()), _bytes(files, "_hot"), raw)


def _bytes(files: Mapping[str, int], folder: str) -> int:
    return sum(size for name, size in files.items() if name.startswith(f"{folder}/"))
