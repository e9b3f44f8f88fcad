"""What an output owes to each value of an input or of a layer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(NDArrayOperatorsMixin):
    """An array of the input's shape, or the layer's, that knows what it is of; all that numpy does with arrays works."""

    values: Array
    by: str
    """The method and its options."""
    target: str
    """What was explained, as titles say it: "true class", "predicted class", "class 3", "sum of the outputs" ..."""
    at: str = "input"
    """To whose values: "input" or a layer's name."""
    numbers: Array | None = None
    """The class, or the unit, by example; None where the target has none."""
    scores: Array | None = None
    """What the network gave for it, by example; None where a function makes one number of all examples."""
    gap: Array | None = None
    """By example how far the values' sum is from what it should be; None where the method promises no sum."""
    axis: int | None = None
    """Which axis counts channels; None where there are none."""
    apart: tuple[int, ...] = (0,)
    """Which axes count examples, and units where every one was asked for."""
    notes: tuple[str, ...] = ()
    """What to know of how it came about, such as activations that the method's rule left alone."""

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def ndim(self) -> int:
        return self.values.ndim

    @property
    def dtype(self) -> Any:
        return self.values.dtype

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, key: Any) -> Any:
        return self.values[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype, copy=copy)

    def __array_ufunc__(self, function: Any, how: str, *given: Any, **options: Any) -> Any:
        plain = (one.values if isinstance(one, Attribution) else one for one in given)
        return getattr(function, how)(*plain, **options)

    def __repr__(self) -> str:
        return (
            f"Attribution({self.shape}, {self.target}, by={self.by}{'' if self.at == 'input' else f', at={self.at!r}'})"
        )

    @property
    def positive(self) -> Array:
        """What speaks for the target, 0 to 1 in each example."""
        return self._scaled(np.maximum(self.values, 0))

    @property
    def negative(self) -> Array:
        """What speaks against it, 0 to 1 in each example."""
        return self._scaled(np.maximum(-self.values, 0))

    @property
    def grayscale(self) -> Array:
        """The magnitudes' sum over channels, from each example's least to its 99th percentile, as 0 to 1."""
        sizes = np.abs(self.values)
        if self.axis is not None:
            sizes = sizes.sum(self.axis, keepdims=True)
        if not sizes.size:
            return sizes
        low, high = sizes.min(self._within, keepdims=True), np.percentile(sizes, 99, self._within, keepdims=True)
        high = np.where(high > low, high, sizes.max(self._within, keepdims=True))
        return np.clip(_divided(sizes - low, high - low), 0, 1)

    @property
    def _within(self) -> tuple[int, ...]:
        """The axes inside an example."""
        return tuple(axis for axis in range(self.ndim) if axis not in self.apart)

    def _scaled(self, sizes: Array) -> Array:
        """By each example's largest; where nothing is above zero, all stays there."""
        return _divided(sizes, sizes.max(self._within, keepdims=True, initial=0))


def _divided(sizes: Array, by: Array) -> Array:
    return np.divide(sizes, by, out=np.zeros_like(sizes), where=by > 0)
