"""A layer's values unit by unit, whatever the layer: examples, positions, units, and the parts that one unit is made of."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer

Array = NDArray[Any]


def by_unit(layer: Layer, value: Array) -> Array:
    """A heard value as (example, position, unit, part); only heads have more than one part."""
    batch, unit = layer.batch_axis % value.ndim, layer.unit_axis % value.ndim
    parts = list(range(unit + 1, value.ndim)) if layer.unit == "head" else []
    positions = [axis for axis in range(value.ndim) if axis not in (batch, unit, *parts)]
    turned = value.transpose(batch, *positions, unit, *parts)
    width = int(np.prod([value.shape[axis] for axis in parts], dtype=np.int64))
    return turned.reshape(len(turned), -1, value.shape[unit], width)


def to_last(layer: Layer, constants: Array) -> Array:
    """Constants (unit, part) as what `change` takes: the unit axis last, the parts of a head before it."""
    return constants.T if layer.unit == "head" else constants[:, 0]


def contributions(layer: Layer, deviation: Array, slopes: Array) -> Array:
    """What each unit adds to the score, (example, unit): its deviation times the slope, over positions and parts."""
    a, b = by_unit(layer, deviation), by_unit(layer, slopes)
    return np.asarray(np.einsum("epuk,epuk->eu", a, b, dtype=np.float64 if a.dtype == np.float64 else None))
