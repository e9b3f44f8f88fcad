"""The arithmetic of a change: some units' values replaced, everything else exactly as it was."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import numpy as jnp

from nissl.adapters._host import choice
from nissl.core.layer import Layer


class Replacing:
    """What `change` does to a layer's value; differentiable in the value and in what replaces it."""

    def __init__(self, layer: Layer, units: Sequence[int] | None, to: Any):
        self.layer, self._to = layer, to
        self._units = None if units is None else choice.whole(layer, units)
        if layer.units is not None:
            self._check(layer.units)

    def __call__(self, value: Any) -> Any:
        last = jnp.moveaxis(value, self.layer.unit_axis, -1)
        self._check(last.shape[-1])
        units = np.arange(last.shape[-1]) if self._units is None else self._units
        old = last[..., units]
        self._check(last.shape[-1], old.shape)
        new = self._to(old) if callable(self._to) else self._to
        new = jnp.broadcast_to(jnp.asarray(new, old.dtype), old.shape)
        return jnp.moveaxis(last.at[..., units].set(new), -1, self.layer.unit_axis)

    def _check(self, have: int, old: tuple[int, ...] | None = None) -> None:
        choice.fit(self.layer, self._units, () if callable(self._to) else np.shape(self._to), have, old)
