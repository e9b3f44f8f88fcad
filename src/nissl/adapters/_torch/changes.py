"""The arithmetic of a change: some units' values replaced, everything else exactly as it was."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nissl.adapters._torch.atlas import Place
from nissl.core.layer import Layer
from nissl.errors import BadValue


class Replacing:
    """What `change` does to a layer's value; differentiable in the value and in what replaces it."""

    def __init__(self, layer: Layer, units: Sequence[int] | None, to: Any):
        self.layer = layer
        self._to = to if callable(to) or isinstance(to, Tensor) else torch.as_tensor(np.asarray(to))
        self._units = None if units is None else torch.as_tensor(_whole(layer, units), dtype=torch.int64)
        if layer.units is not None:
            self._check(layer.units)

    def __call__(self, place: Place, value: Tensor) -> Tensor:
        if value.is_nested:
            return torch.nested.as_nested_tensor([self(place, one.unsqueeze(0)).squeeze(0) for one in value.unbind()])
        shown = place.shown(value)
        axis = place.layer.unit_axis % shown.dim()
        if self.layer.units is None:
            self._check(shown.shape[axis])
        units = torch.arange(shown.shape[axis]) if self._units is None else self._units
        units = units.to(value.device)
        old = shown.index_select(axis, units).movedim(axis, -1)
        new = self._to(old) if callable(self._to) else self._to
        new = torch.as_tensor(new).to(old.device, old.dtype).expand_as(old)
        return place.restored(shown.index_copy(axis, units, new.movedim(-1, axis)))  # in the same memory layout

    def _check(self, have: int) -> None:
        units = range(have) if self._units is None else self._units.tolist()
        wrong = [unit for unit in units if not 0 <= unit < have]
        if wrong:
            raise BadValue(f"{self.layer.name} has the units 0 to {have - 1}; there is no {wrong[0]}.")
        if not callable(self._to) and self._to.dim() and tuple(self._to.shape) not in {(1,), (len(units),)}:
            raise BadValue(
                f"to has the shape {tuple(self._to.shape)}; {len(units)} units of {self.layer.name} want one value each, "
                "one number for all, or a function of their values."
            )


def _whole(layer: Layer, units: Sequence[int]) -> list[int]:
    found = np.asarray(units)
    if found.dtype.kind not in "iu" and found.size:
        raise BadValue(f"Units of {layer.name} are chosen by whole numbers, not {found.dtype}: give their indices.")
    if len(set(found.ravel().tolist())) < found.size:
        raise BadValue(f"Units of {layer.name} are each chosen once; {list(units)} repeats some.")
    return found.ravel().tolist()
