"""Which units a change is for, and whether what it puts there fits them: said alike by every adapter of traced values."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.errors import BadValue


def whole(layer: Layer, units: Sequence[int]) -> NDArray[np.int64]:
    """The units as indices, each once."""
    found = np.asarray(units)
    if found.dtype.kind not in "iu" and found.size:
        raise BadValue(f"Units of {layer.name} are chosen by whole numbers, not {found.dtype}: give their indices.")
    if len(set(found.ravel().tolist())) < found.size:
        raise BadValue(f"Units of {layer.name} are each chosen once; {list(units)} repeats some.")
    return found.ravel().astype(np.int64)


def fit(layer: Layer, units: NDArray[np.int64] | None, shape: tuple[int, ...], have: int) -> None:
    """BadValue unless the layer's `have` units hold these, and numbers of this shape suit them."""
    units = np.arange(have) if units is None else units
    wrong = [unit for unit in units.tolist() if not 0 <= unit < have]
    if wrong:
        raise BadValue(f"{layer.name} has the units 0 to {have - 1}; there is no {wrong[0]}.")
    if shape not in {(), (1,), (len(units),)}:
        raise BadValue(
            f"to has the shape {shape}; {len(units)} units of {layer.name} want one value each, one number for all, "
            "or a function of their values."
        )
