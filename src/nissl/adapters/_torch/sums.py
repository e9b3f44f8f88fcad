"""The accumulator that the torch adapter gives out, and which of its two engines does the work."""

from typing import Any

import torch
from torch import Tensor

from nissl.adapters._torch import native
from nissl.adapters._torch.eager import Eager
from nissl.adapters._torch.groups import groups_of
from nissl.adapters._torch.native import Native
from nissl.adapters._torch.sketch import Sketch
from nissl.adapters._torch.state import State, arranged
from nissl.core.sums import Accumulator, Sums


class TorchAccumulator(Accumulator):
    """Folds tensors where they are: on a processor with the compiled kernel, elsewhere with torch's operations."""

    def __init__(self, unit_axis: int, batch_axis: int = 0, classes: int = 0, sketch: int = 0):
        self._axes, self._classes, self._most = (unit_axis, batch_axis), classes, sketch
        self._start()

    def _start(self) -> None:
        self._device: torch.device | None = None  # None: nothing was heard yet, and there is no state
        self._state: State
        self._sketch: Sketch | None
        self._earlier: Sums | None = None

    def fold(self, value: Tensor, groups: Any = None) -> None:
        device = value.device
        if device != self._device:
            self._open(value)
        if not self._classes:
            groups = None
        elif groups is not None:
            groups = groups_of(groups)
            if groups.device != device:
                groups = groups.on(device)
            if self._axes[1] == 1:
                groups = groups.for_sequence_first(value)
        self._fold(value, groups)

    def _open(self, value: Tensor) -> None:
        """Begin on the device of a first value; what was heard on another is kept for the next reading."""
        x, positions_last = arranged(value.detach(), *self._axes)
        units = x.shape[1 if positions_last else 2]
        if self._device is not None:
            self._state.check(units)
            self._earlier = self._heard()
        with torch.inference_mode(False):
            self._device, self._state = value.device, State(units, self._classes, value.device)
            self._sketch = Sketch(self._most, units, value.device, self._state.dtype) if self._most else None
        compiled = value.device.type == "cpu" and native.wanted()
        engine: Native | Eager = (Native if compiled else Eager)(self._state, self._axes, self._sketch)
        self._fold = engine.fold

    def _heard(self) -> Sums:
        kept = (self._sketch.read(), self._sketch.stride) if self._sketch is not None else None
        sums = self._state.sums(*(kept or (torch.empty(0, self._state.units, dtype=torch.float64).numpy(), 1)))
        return sums if self._earlier is None else self._earlier.merge(sums)

    def read(self) -> Sums:
        if self._device is None:
            return Sums.empty(0, self._classes)
        sums = self._heard()
        self._start()
        return sums


def backend() -> str:
    """Which engine hears tensors in the processor's memory, for a report on this installation."""
    if native.wanted():
        return f"native ({native.kernel.instructions()})"
    return "eager (the kernel was not built)" if native.kernel is None else "eager (NISSL_NATIVE=0)"
