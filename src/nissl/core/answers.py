"""What a layer says to groups of inputs, summed: of every position, and of units."""

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.core.tally import Moments
from nissl.errors import NotHeard

Array = NDArray[Any]
AXES = {1: ("position",), 2: ("y", "x"), 3: ("z", "y", "x")}


@dataclass(frozen=True, eq=False)
class Answers:
    """What was summed of one layer."""

    layer: Layer
    shape: tuple[int, ...]
    """Of one example, in the layer's own order of axes."""
    unit: int
    """Which axis of `shape` counts the units."""
    units: Moments
    """Of each unit's mean over its positions, example by example."""
    places: Moments | None
    """Of every position; None where they were not asked for."""
    aligned: bool = False

    def moments(self, full: bool | None) -> tuple[Moments, tuple[str, ...], tuple[int, ...]]:
        """Of every position or of units (None: as much as there is), what their axes are called, and how long they are."""
        if full and self.places is None:
            raise NotHeard(f"Positions of {self.layer.name} were not summed: positions=True keeps them.")
        if self.places is None or full is False:
            return self.units, (self.layer.unit,), (self.shape[self.unit],)
        rest = len(self.shape) - 1
        names = list(AXES.get(rest, [f"axis {i + 1}" for i in range(rest)]))
        names.insert(self.unit, self.layer.unit)
        return self.places, tuple(names), self.shape

    def of(self, rows: Array) -> "Answers":
        """Of these groups."""
        places = None if self.places is None else self.places.of(rows)
        return replace(self, units=self.units.of(rows), places=places)
