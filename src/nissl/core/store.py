"""Where a trace lives: what is written at the end of an epoch, and what can be read back.

A store knows arrays by key and epochs by number; it knows nothing of layers, quantities or networks beyond that.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from nissl.errors import Unsupported

Array = NDArray[Any]


@dataclass(frozen=True)
class Column:
    """One recorded statistic and how the parts of several ranks become one."""

    name: str
    merge: str = "mean"
    """sum, min, max, mean (weighted by `weight`), std (by `weight` around `mean`), first, or average: as mean, but of numbers
    such as quantiles whose whole is more than the mean of its parts, so it only comes near."""
    weight: str = "count"
    """The sibling that counts what was averaged: a column of the same array, or an array of the same layer."""
    mean: str = "mean"
    """The sibling that holds the mean which a std belongs to."""


@dataclass(frozen=True)
class ArraySpec:
    """An array that epochs may hold: fixed from its first mention, the same in every epoch that has it."""

    name: str
    dims: tuple[str, ...]
    """Without the epoch: ("neuron", "stat"), ("neuron", "class"), ("class", "predicted") ..."""
    shape: tuple[int, ...]
    layer: str | None = None
    """The layer it belongs to; None for the whole network."""
    dtype: str = "float32"
    columns: tuple[Column, ...] = ()
    """One for each entry of the last dimension where that is "stat", else the single column that the array is."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names along a dimension: {"class": ("cat", "dog")}."""

    @property
    def key(self) -> str:
        """Its place in the trace; a layer's name is quoted so that any name makes one path segment."""
        return f"layers/{segment(self.layer)}/{self.name}" if self.layer is not None else f"network/{self.name}"


def segment(name: str) -> str:
    """A layer's name as one safe path segment: letters, digits, `_.-` stay, the rest is percent-encoded."""
    quoted = quote(name, safe="")
    return f"%2E{quoted[1:]}" if quoted.startswith(".") else f"%5F{quoted[1:]}" if quoted.startswith("__") else quoted


@dataclass(frozen=True)
class Record:
    """What one rank saw of one epoch."""

    epoch: int
    arrays: Mapping[str, Array]
    """By `ArraySpec.key`; an epoch need not hold every declared array."""
    scalars: Mapping[str, float] = field(default_factory=dict)
    rank: int = 0
    world: int = 1
    weight: float = 1.0
    """How much its scalars count beside those of other ranks: the examples that it saw."""


@dataclass(frozen=True)
class Entry:
    """A committed epoch, as a reader finds it."""

    epoch: int
    scalars: Mapping[str, float]
    time: float
    """Seconds since 1970 when it was committed."""
    arrays: frozenset[str]
    """Keys that it holds."""
    damage: str | None = None
    """Why (part of) it cannot be read, once that is known."""
    missing: tuple[int, ...] = ()
    """Ranks whose part never came: the epoch holds what the others saw."""


class Store(ABC):
    """One trace. Opened for reading by construction; `create` or `reopen` make the caller its writer, rank 0.

    Where several ranks train one network, the others `join`: each writes its own parts, and rank 0 commits an epoch when
    it finds the parts of all. Nobody waits for anybody before `close`.
    """

    @classmethod
    def takes(cls, path: object) -> bool:
        """Whether a trace at such a path is this store's: `cls(path, durability=..., patience=...)` makes it."""
        del path
        return False

    @abstractmethod
    def create(self, header: Mapping[str, Any]) -> None:
        """Begin a new trace; TraceExists if there is one, TraceBusy if another process is writing it."""

    @abstractmethod
    def reopen(self) -> None:
        """Go on writing a trace that exists (closed, killed or torn): take the lock, repair, keep every committed epoch."""

    def join(self, run_id: str, rank: int) -> None:
        """Write this rank's parts of the trace that rank 0 has created or reopened: `run_id` is what its header says.

        Only `declare`, `append` and `close` follow. NoTrace or BadValue where there is no such run.
        """
        raise Unsupported(
            f"A trace in {type(self).__name__} belongs to one process: several need a path that all of them reach."
        )

    @abstractmethod
    def declare(self, specs: Sequence[ArraySpec]) -> None:
        """Make arrays known before the first record that holds them; declaring the same again is no change."""

    @abstractmethod
    def append(self, record: Record) -> int:
        """Commit an epoch later than all others; on return it is readable by any process. Returns the bytes written.

        With `world` > 1 every rank appends its own record and goes on: the epoch exists as soon as rank 0 finds all of
        them, or, without those that did not come (`Entry.missing`), when its patience ends. Parts keep floating arrays
        in float64, whatever was declared, so that merging is exact; scalars are averaged by `Record.weight`, but of `steps`
        and `seconds` the most is kept. A part that comes after its epoch was committed is left out, and 0 is returned.
        """

    @abstractmethod
    def amend(self, changes: Mapping[str, Any]) -> None:
        """Change top-level entries of the header (edges that were learned, costs that were measured)."""

    @abstractmethod
    def close(self, *, wait: bool = True) -> None:
        """Finish: everything sealed, the header says closed, the lock is free. Closing twice is no change.

        Rank 0 waits for parts that others still owe, unless they have closed too or `wait` is False (training failed);
        another rank's close says that nothing more will come of it.
        """

    def delete(self) -> None:
        """Remove the whole trace; TraceBusy if another process is writing it."""
        raise Unsupported(f"{type(self).__name__} deletes no traces.")

    @property
    @abstractmethod
    def header(self) -> Mapping[str, Any]:
        """What was given to `create` with all amendments, and `closed`."""

    @property
    @abstractmethod
    def specs(self) -> Mapping[str, ArraySpec]:
        """Every declared array by key."""

    @abstractmethod
    def entries(self) -> tuple[Entry, ...]:
        """The committed epochs in order, as of now: cheap enough to poll."""

    @abstractmethod
    def read(self, key: str, epochs: Sequence[int], where: tuple[slice, ...] = ()) -> Array:
        """One array over these epochs, (epoch, *dims), cut by `where` along its dims; NaN (or 0) where an epoch has none.

        DamagedTrace, naming the epoch, where one that is asked for cannot be read; UnknownKey where there is none.
        """

    def together(self, key: str, epochs: Sequence[int]) -> tuple[tuple[int, ...], int]:
        """How an array is best read in pieces: how many of these epochs at a time, and units in multiples of what.

        A store that others than its own process can read is pickled as its address, and is a reader where it arrives.
        """
        return (1,) * len(epochs), 1

    def files(self) -> Mapping[str, int]:
        """Every file of the trace, by its name in it ("layers/a/stats/zarr.json"), and its bytes; none where it has no files."""
        return {}

    def file(self, name: str) -> bytes:
        """One of them."""
        raise Unsupported(f"{type(self).__name__} has no files.")


def absent(spec: ArraySpec) -> Any:
    """What stands for 'not recorded' in an array of this type."""
    return np.nan if np.issubdtype(np.dtype(spec.dtype), np.floating) else 0
