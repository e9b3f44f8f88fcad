"""The arithmetic of a change: some units' values replaced, everything else exactly as it was."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.compiler import is_compiling

from nissl.adapters._host import choice
from nissl.adapters._torch.atlas import Place
from nissl.core.layer import Layer


class Replacing:
    """What `change` does to a layer's value; differentiable in the value and in what replaces it."""

    def __init__(self, layer: Layer, units: Sequence[int] | None, to: Any):
        self.layer = layer
        self._to = to if callable(to) or isinstance(to, Tensor) else torch.as_tensor(np.asarray(to))
        self._units = None if units is None else torch.as_tensor(choice.whole(layer, units))
        if layer.units is not None:
            self._check(layer.units)

    def __call__(self, place: Place, value: Tensor) -> Tensor:
        if value.is_nested:
            return torch.nested.as_nested_tensor([self(place, one.unsqueeze(0)).squeeze(0) for one in value.unbind()])
        shown = place.shown(value)
        axis = place.layer.unit_axis % shown.dim()
        units = torch.arange(shown.shape[axis]) if self._units is None else self._units
        if not is_compiling():
            self._check(shown.shape[axis], (*shown.shape[:axis], *shown.shape[axis + 1 :], len(units)))
        units = units.to(value.device)
        old = shown.index_select(axis, units).movedim(axis, -1)
        new = self._to(old) if callable(self._to) else self._to
        new = torch.as_tensor(new).to(old.device, old.dtype).expand_as(old)
        return place.restored(shown.index_copy(axis, units, new.movedim(-1, axis)))  # in the same memory layout

    def _check(self, have: int, old: choice.Shape | None = None) -> None:
        units = None if self._units is None else self._units.numpy()
        choice.fit(self.layer, units, () if callable(self._to) else tuple(self._to.shape), have, old)
