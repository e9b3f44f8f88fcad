"""The arithmetic of a change: some units' values replaced, everything else exactly as it was."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from nissl.adapters._host import choice
from nissl.core.layer import Layer


class Replacing:
    """What `change` does to a layer's value; differentiable in the value and in what replaces it."""

    def __init__(self, layer: Layer, units: Sequence[int] | None, to: Any):
        self.layer = layer
        self._to = to if callable(to) or ops.is_tensor(to) else np.asarray(to)
        self._units = None if units is None else choice.whole(layer, units)
        if layer.units is not None:
            self._check(layer.units)

    def __call__(self, value: Any) -> Any:
        last = ops.moveaxis(value, self.layer.unit_axis, -1)
        have = int(last.shape[-1])
        if self.layer.units is None:
            self._check(have)
        units = np.arange(have) if self._units is None else self._units
        old = ops.take(last, units, axis=-1)
        self._check(have, tuple(old.shape))
        new = self._to(old) if callable(self._to) else self._to
        new = ops.broadcast_to(ops.convert_to_tensor(new, dtype=old.dtype), ops.shape(old))
        chosen, at = np.zeros(have, bool), np.zeros(have, np.int64)
        chosen[units], at[units] = True, np.arange(len(units))
        whole = ops.where(chosen, ops.take(new, at, axis=-1), last) if len(units) else last
        return ops.moveaxis(whole, -1, self.layer.unit_axis)

    def _check(self, have: int, old: choice.Shape | None = None) -> None:
        choice.fit(self.layer, self._units, () if callable(self._to) else tuple(self._to.shape), have, old)
