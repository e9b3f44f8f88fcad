"""The arithmetic of a change: some units' values replaced, everything else exactly as it was."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import numpy as jnp

from nissl.core.layer import Layer
from nissl.errors import BadValue


class Replacing:
    """What `change` does to a layer's value; differentiable in the value and in what replaces it."""

    def __init__(self, layer: Layer, units: Sequence[int] | None, to: Any):
        self.layer, self._to = layer, to
        self._units = None if units is None else _whole(layer, units)
        if layer.units is not None:
            self._check(layer.units)

    def __call__(self, value: Any) -> Any:
        last = jnp.moveaxis(value, self.layer.unit_axis, -1)
        self._check(last.shape[-1])
        units = np.arange(last.shape[-1]) if self._units is None else self._units
        old = last[..., units]
        new = self._to(old) if callable(self._to) else self._to
        new = jnp.broadcast_to(jnp.asarray(new, old.dtype), old.shape)
        return jnp.moveaxis(last.at[..., units].set(new), -1, self.layer.unit_axis)

    def _check(self, have: int) -> None:
        units = np.arange(have) if self._units is None else self._units
        wrong = [unit for unit in units.tolist() if not 0 <= unit < have]
        if wrong:
            raise BadValue(f"{self.layer.name} has the units 0 to {have - 1}; there is no {wrong[0]}.")
        shape = () if callable(self._to) else np.shape(self._to)
        if shape not in {(), (1,), (len(units),)}:
            raise BadValue(
                f"to has the shape {shape}; {len(units)} units of {self.layer.name} want one value each, one number for all, "
                "or a function of their values."
            )


def _whole(layer: Layer, units: Sequence[int]) -> Any:
    found = np.asarray(units)
    if found.dtype.kind not in "iu" and found.size:
        raise BadValue(f"Units of {layer.name} are chosen by whole numbers, not {found.dtype}: give their indices.")
    if len(set(found.ravel().tolist())) < found.size:
        raise BadValue(f"Units of {layer.name} are each chosen once; {list(units)} repeats some.")
    return found.ravel().astype(np.int64)
