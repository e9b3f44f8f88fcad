"""The contract of a method of attribution: values, gradients and scores in; what each value adds to the target out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nissl.core.matter import Matter
from nissl.core.named import named
from nissl.errors import BadValue, Unsupported

Array = NDArray[Any]


@dataclass(frozen=True)
class Method(ABC):
    """A frozen dataclass of plain options, whose repr is kept with what it finds. It says `values`."""

    complete: ClassVar[bool] = False
    """Do the values of an example add up to its score less that of where they start from?"""
    maps: ClassVar[bool] = False
    """Does it give one map an example, with one channel, where others give a value for each of the input's?"""
    anywhere: ClassVar[bool] = True
    """Can it also attribute to a layer's values?"""

    def __call__(self, matter: Matter) -> Array:
        if matter.layer is not None and not self.anywhere:
            raise Unsupported(
                f"{self!r} attributes to the input only, not to {matter.at}: leave `at` out, or use gradient_input."
            )
        found = np.asarray(self.values(matter))
        known = [found] if matter.scores is None else [found, matter.scores]
        if not all(np.isfinite(numbers).all() for numbers in known):
            raise BadValue(f"{self!r} found values that are no finite numbers: does the network give NaN or infinity?")
        wanted = self.shape(matter)
        if found.shape != wanted:
            raise BadValue(f"{self!r} gave the shape {found.shape} where {wanted} was to be: the method is at fault.")
        return found

    def shape(self, matter: Matter) -> tuple[int, ...]:
        """The shape that it must give."""
        if matter.layer is not None:
            known = matter.anatomy.values[matter.at].shape
            batch = matter.layer.batch_axis % len(known)
            return (*known[:batch], matter.count, *known[batch + 1 :])
        shape, axis = matter.inputs.shape, matter.anatomy.axis
        if not self.maps or axis is None:
            return shape
        return (*shape[:axis], 1, *shape[axis + 1 :])

    @abstractmethod
    def values(self, matter: Matter) -> Array:
        """What each value of the input, or of the layer, adds to each example's target."""

    def start(self, matter: Matter) -> Array:
        """The score, by example, that a complete method's values start from."""
        return np.zeros(matter.count)

    def gap(self, matter: Matter, values: Array) -> Array | None:
        """By example what the values add up to, less what they should."""
        if not self.complete or matter.scores is None:
            return None
        batch = 0 if matter.layer is None else matter.layer.batch_axis % values.ndim
        sums = np.moveaxis(values, batch, 0).reshape(matter.count, -1).sum(1, dtype=np.float64)
        return np.asarray(sums - (matter.scores - self.start(matter)))


def method(by: Any, options: Mapping[str, Any]) -> Method:
    """The method that is meant: by name with its options, or one that was made already."""
    found: Method = named("attribution", Method, by, options)
    return found
