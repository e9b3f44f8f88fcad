"""What is summed of one layer, in the order in which its values lie."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.core.tally import Moments, Tally

Array = NDArray[Any]


@dataclass
class Sums:
    """What is summed of one layer."""

    layer: Layer
    shape: tuple[int, ...]
    """Of one example, in the layer's own order."""
    unit: int
    """Which axis of `shape` counts the units."""
    places: Tally | None
    units: Tally | None
    """Of each unit's mean over its places; None where a unit has but one, and `places` says it."""
    units_last: bool = False
    """Do the units of a place lie side by side? Then they are summed so, and no value is moved before."""

    def flat(self, value: Any) -> Any:
        """(example, place) of a value, as it is summed."""
        for axis in range(self.unit + 1, len(self.shape) if self.units_last else 0):
            value = value.swapaxes(axis, axis + 1)
        return value.reshape(len(value), -1)

    def sorted(self, summed: Array) -> Array:
        """(group, place) in the layer's own order."""
        if not self.units_last or len(self.shape) == 1:
            return summed
        shape = [n for axis, n in enumerate(self.shape) if axis != self.unit]
        table = summed.reshape(len(summed), *shape, self.shape[self.unit])
        return np.ascontiguousarray(np.moveaxis(table, -1, self.unit + 1)).reshape(len(summed), -1)

    @property
    def others(self) -> tuple[int, ...]:
        """The axes of values, example first, that a unit has several values along."""
        return tuple(axis + 1 for axis in range(len(self.shape)) if axis != self.unit)

    @property
    def spatial(self) -> bool:
        """Is there a middle that values can be moved to? The parts of a head have none."""
        return bool(self.others) and self.layer.unit != "head"

    def moments(self, rows: Array) -> tuple[Moments | None, Moments]:
        """Of places (where they were asked for) and of units."""
        places = self.places.moments(rows) if self.places is not None else None
        if places is not None:
            places = Moments(*(self.sorted(part) for part in (places.count, places.mean, places.m2)))
        units = self.units.moments(rows) if self.units is not None else places
        assert units is not None
        return places, units


def step(value: Any, axis: int) -> int | None:
    """How far apart neighbours along an axis lie in memory, in values; None where that doesn't show."""
    if hasattr(value, "stride"):
        return int(value.stride(axis))
    steps = getattr(value, "strides", None)
    return steps[axis] // value.itemsize if steps else None
