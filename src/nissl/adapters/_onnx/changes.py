"""What `change` replaces: numbers for some units of a layer, laid over each other where changes are nested."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from nissl.adapters._onnx.places import Place
from nissl.core.layer import Layer
from nissl.errors import BadValue, Unsupported


@dataclass(frozen=True, eq=False)
class Change:
    """The units of one layer that are replaced, and the number for each."""

    layer: str
    units: Any
    to: Any


def change(layer: Layer, units: Sequence[int] | None, to: Any) -> Change:
    """Checked: units that exist, each once, and one number for all or one for each."""
    if callable(to):
        raise Unsupported(
            "An ONNX graph cannot call a Python function while it runs: give `to` as a number, or as an array with one value "
            "a unit."
        )
    have = layer.units or 0
    chosen = np.arange(have) if units is None else np.asarray(units)
    if chosen.dtype.kind not in "iu" and chosen.size:
        raise BadValue(f"Units of {layer.name} are chosen by whole numbers, not {chosen.dtype}: give their indices.")
    chosen = chosen.ravel().astype(np.int64)
    wrong = chosen[(chosen < 0) | (chosen >= have)]
    if wrong.size:
        raise BadValue(f"{layer.name} has the units 0 to {have - 1}; there is no {wrong[0]}.")
    if len(np.unique(chosen)) < chosen.size:
        raise BadValue(f"Units of {layer.name} are each chosen once; {list(chosen)} repeats some.")
    value = np.asarray(to)
    if value.ndim and value.shape not in {(1,), (chosen.size,)}:
        raise BadValue(
            f"to has the shape {value.shape}; {chosen.size} units of {layer.name} want one value each, or one number for all."
        )
    return Change(layer.name, chosen, value)


def switches(changes: Sequence[Change], place: Place) -> tuple[Any, Any]:
    """Which units are replaced and by what, spread over the value; later changes come after earlier ones."""
    units = place.layer.units or 0
    which, to = np.zeros(units, bool), np.zeros(units, onnx.helper.tensor_dtype_to_np_dtype(place.dtype))
    for one in changes:
        if one.layer == place.layer.name:
            which[one.units], to[one.units] = True, one.to
    return which.reshape(place.spread), to.reshape(place.spread)
