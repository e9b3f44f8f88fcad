"""Some units' values replaced by numbers, or by a function of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.core.layer import Layer
from nissl.core.network import Array
from nissl.errors import BadValue


@dataclass(frozen=True, eq=False)
class Change:
    """The units of one layer, by the layer's number, and what they become."""

    number: int
    units: list[int]
    to: Any

    def __call__(self, value: Array) -> Array:
        changed = value.copy()
        changed[:, self.units] = self.to(value[:, self.units]) if callable(self.to) else self.to
        return changed


def checked(layer: Layer, number: int, units: Sequence[int] | None, to: Any) -> Change:
    """Units that exist, each once, and one number for all or one for each."""
    have = layer.units or 0
    chosen = np.arange(have) if units is None else np.asarray(units)
    if chosen.dtype.kind not in "iu" and chosen.size:
        raise BadValue(f"Units of {layer.name} are chosen by whole numbers, not {chosen.dtype}: give their indices.")
    found = [int(unit) for unit in chosen.ravel()]
    wrong = [unit for unit in found if not 0 <= unit < have]
    if wrong:
        raise BadValue(f"{layer.name} has the units 0 to {have - 1}; there is no {wrong[0]}.")
    if len(set(found)) < len(found):
        raise BadValue(f"Units of {layer.name} are each chosen once; {found} repeats some.")
    if not callable(to) and np.ndim(to) and np.shape(to) not in {(1,), (len(found),)}:
        raise BadValue(
            f"to has the shape {np.shape(to)}; {len(found)} units of {layer.name} want one value each, one number for all, or "
            "a function of their values."
        )
    return Change(number, found, to if callable(to) else np.asarray(to))
