"""Each unit's path through the epochs: its responses to classes, read in blocks of units, in parts of its layer's spread."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.store import ArraySpec
from nissl.core.stored import Stored

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
AT_ONCE = 4_000_000  # numbers of a block
FEW = 256
"""Units that stand for their layer where all of them are not needed."""
SOURCES = ("probe_class_mean", "class_mean", "probe_mean", "mean")
WORDS = {
    "probe_class_mean": "mean activity on the probe's classes",
    "class_mean": "mean activity on the classes in training",
    "probe_mean": "mean activity on the probe",
    "mean": "mean activity in training",
}


@dataclass(frozen=True, eq=False)
class Paths:
    """One layer's units over the epochs that heard them."""

    trace: "Trace"
    layer: str
    name: str
    """What the paths are made of: one of SOURCES, or another array or column of the layer."""

    @cached_property
    def spec(self) -> ArraySpec:
        return self.trace.spec(self.layer, self.name)

    @cached_property
    def held(self) -> tuple[int, ...]:
        """The epochs whose record has it."""
        return tuple(entry.epoch for entry in self.trace.entries if self.spec.key in entry.arrays)

    @property
    def units(self) -> int:
        return self.spec.shape[0]

    @cached_property
    def _heard(self) -> tuple[Array, Array]:
        """The places of the epochs, and of the numbers, that are known throughout: as many numbers as possible."""
        some = self._read(self.held, slice(0, FEW))
        known = np.isfinite(some)
        heard: Array = np.asarray(known.mean(1) > 0.5) if some.shape[1] else np.zeros((len(some), some.shape[2]), bool)
        epochs = np.flatnonzero(heard.any(1))
        numbers = np.flatnonzero(heard[epochs].all(0)) if len(epochs) else np.zeros(0, int)
        if len(epochs) and not len(numbers):  # no class was heard in every epoch: those that most epochs heard
            numbers = np.flatnonzero(heard.sum(0) == heard.sum(0).max())[:1]
            epochs = np.flatnonzero(heard[:, numbers].all(1))
        return epochs, numbers

    @cached_property
    def epochs(self) -> tuple[int, ...]:
        """Those that are compared."""
        return tuple(self.held[place] for place in self._heard[0])

    @property
    def numbers(self) -> Array:
        """Which numbers of a unit (classes, mostly) are compared."""
        return self._heard[1]

    @cached_property
    def scale(self) -> float:
        """The spread of the layer: the standard deviation over units and numbers, of up to 16 epochs together."""
        if not self.epochs:
            return 1.0
        places = np.unique(np.linspace(0, len(self.epochs) - 1, 16).round().astype(int))
        some = [self.at(self.epochs[place]) for place in places]
        spread = float(np.nanstd(some)) if np.isfinite(some).any() else 0.0
        return spread if spread > 0 else 1.0

    def at(self, epoch: int) -> Array:
        """(unit, number) at one epoch, as recorded."""
        return self._read((epoch,), slice(None))[0][:, self.numbers]

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """(which units, (epoch, unit, number)), in parts of the spread."""
        each = max(len(self.held) * int(np.prod(self.spec.shape[1:])), 1)
        wide = max(AT_ONCE // each, 1)
        for first in range(0, self.units, wide):
            units = slice(first, min(first + wide, self.units))
            yield units, self.scaled(units)

    def scaled(self, units: slice) -> Array:
        """(epoch, unit, number) of these units."""
        places, numbers = self._heard
        return self._read(self.held, units)[places][:, :, numbers] / self.scale

    def few(self) -> Array:
        """(epoch, unit, number) of some units from all over the layer, without those that were not heard throughout."""
        parts = 8 if self.units > FEW else 1
        wide = FEW // parts
        starts = np.linspace(0, max(self.units - wide, 0), parts).astype(int)
        found = np.concatenate([self.scaled(slice(s, s + wide)) for s in starts], 1)
        return found[:, np.isfinite(found).all((0, 2))]

    def _read(self, epochs: tuple[int, ...], units: slice) -> Array:
        stored = Stored(self.trace.store, self.spec, epochs)
        if self.spec.name == "stats":
            column = [c.name for c in self.spec.columns].index(self.name)
            return np.asarray(stored[:, units, column : column + 1], np.float64)
        found = np.asarray(stored[:, units], np.float64)
        return found.reshape(*found.shape[:2], -1)


def paths(trace: "Trace", layer: str) -> Paths | None:
    """By the best that was recorded of the layer's responses; None where nothing was."""
    for name in SOURCES:
        if name in trace.names(layer):
            found = Paths(trace, layer, name)
            if found.spec.dims[0] == "neuron" and found.epochs:
                return found
    return None


def distances(path: Array) -> tuple[Array, Array]:
    """(epoch, unit): root mean square difference to the epoch before (NaN at the first), and to the last."""
    width = max(path.shape[-1], 1)
    before = np.full(path.shape[:2], np.nan)
    before[1:] = np.sqrt((np.diff(path, axis=0) ** 2).sum(-1) / width)
    return before, np.sqrt(((path - path[-1:]) ** 2).sum(-1) / width)
