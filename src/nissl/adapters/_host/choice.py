"""Which units a change is for, and whether what it puts there fits them: said alike by every adapter whose values are arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.errors import BadValue

Shape = tuple[int | None, ...]
"""None: as many as there may be, in a graph that is only traced."""


def whole(layer: Layer, units: Sequence[int]) -> NDArray[np.int64]:
    """The units as indices, each once."""
    found = np.asarray(units)
    if found.dtype.kind not in "iu" and found.size:
        raise BadValue(f"Units of {layer.name} are chosen by whole numbers, not {found.dtype}: give their indices.")
    if len(set(found.ravel().tolist())) < found.size:
        raise BadValue(f"Units of {layer.name} are each chosen once; {list(units)} repeats some.")
    return found.ravel().astype(np.int64)


def fit(layer: Layer, units: NDArray[np.int64] | None, shape: Shape, have: int, old: Shape | None = None) -> None:
    """BadValue unless the layer's `have` units hold these, and an array of this shape suits them (their values `old`: unit last)."""
    units = np.arange(have) if units is None else units
    wrong = [unit for unit in units.tolist() if not 0 <= unit < have]
    if wrong:
        raise BadValue(f"{layer.name} has the units 0 to {have - 1}; there is no {wrong[0]}.")
    if not _broadcasts(shape, (len(units),) if old is None else old, longer=old is None):
        values = f"whose values are {tuple(old)} with the unit axis last" if old is not None else "the unit axis last"
        raise BadValue(
            f"to has the shape {tuple(shape)}, which does not broadcast to {len(units)} units of {layer.name}, {values}: give "
            "one value each, one number for all, or a function of their values."
        )


def _broadcasts(shape: Shape, old: Shape, *, longer: bool) -> bool:
    """`longer`: of the values only the last axes are known."""
    pairs = zip(reversed(shape), reversed(old), strict=False)
    return (longer or len(shape) <= len(old)) and all(a in (1, b) or b is None for a, b in pairs)


def none_such(layer: Layer | None, have: int, target: object) -> str:
    """What is wrong with a target that is no number of an output, or of a unit of a layer."""
    what = "The network has" if layer is None else f"{layer.name} has"
    return f"{what} {have} {'outputs' if layer is None else 'units'}, 0 to {have - 1}; target is {target!r}."
