"""The sums by torch's own operations: for every device, and for processors without the compiled kernel."""

import math

import torch
from torch import Tensor

from nissl.adapters._torch.groups import Groups
from nissl.adapters._torch.sketch import Sketch
from nissl.adapters._torch.state import State, arranged

_CHUNK = 4096  # examples that are added in single precision before double takes over
Parts = tuple[Tensor, Tensor, Tensor | None]
"""For every example and unit: sum of deviations, of their squares, and how many values were not finite (None: none)."""


class Eager:
    """Plain sums of one buffer, filled again and again; all stays on the value's device until it is read.

    On a processor, reductions such as `var` and `(x > 0).sum` cost 10 to 100 reads of the tensor.
    """

    def __init__(self, state: State, axes: tuple[int, int], sketch: Sketch | None):
        self._state, self._axes, self._sketch = state, axes, sketch
        self._buffer = torch.empty(0)

    def fold(self, value: Tensor, groups: Groups | None) -> None:
        with torch.inference_mode(False), torch.no_grad():
            x, positions_last = arranged(plain(value), *self._axes)
            self._state.check(x.shape[1 if positions_last else 2])
            if not x.numel():
                return
            self._add(x, positions_last, groups)
            if self._sketch is not None:
                first, count = self._sketch.next(x.shape[0] * x.shape[2 if positions_last else 1])
                self._sketch.add(x, positions_last, first, count)

    def _add(self, x: Tensor, positions_last: bool, groups: Groups | None) -> None:
        state, at = self._state, 2 if positions_last else 1
        labels = None if groups is None or groups.member is not None else groups.rows(x.shape[0], x.shape[at])
        if groups is not None and labels is not groups.labels and labels is not None:  # a class for every position
            x, at = (x.transpose(1, 2) if positions_last else x).reshape(-1, 1, state.units), 1
        if not state.centred:
            state.centre(x, (0, at))
        if self._buffer.shape != x.shape or self._buffer.dtype != x.dtype or self._buffer.device != x.device:
            self._buffer = torch.empty_like(x)
        parts = quick_parts(x, at, state.shift, self._buffer)
        self._classes(parts or exact_parts(x, at, state.shift), labels, groups, x.shape[at])
        self._units(x, at) if parts else self._units_exactly(
            x, at
        )  # last, for it fills the buffer that parts may be in

    def _units(self, x: Tensor, at: int) -> None:
        state, buffer = self._state, self._buffer
        state.positive += torch.gt(x, 0, out=buffer).sum((0, at))
        state.magnitude += torch.abs(x, out=buffer).sum((0, at))
        low, high = (x.amin(at).amin(0), x.amax(at).amax(0)) if at == 2 else (x.amin((0, 1)), x.amax((0, 1)))
        torch.minimum(state.low, low.to(state.dtype), out=state.low)
        torch.maximum(state.high, high.to(state.dtype), out=state.high)

    def _units_exactly(self, x: Tensor, at: int) -> None:
        state, fine, nan = self._state, torch.isfinite(x), torch.isnan(x)
        state.nans += nan.sum((0, at))
        state.infs += (~(fine | nan)).sum((0, at))
        state.positive += (fine & (x > 0)).sum((0, at))
        state.magnitude += torch.where(fine, x.abs(), 0).sum((0, at), dtype=state.dtype)
        torch.minimum(state.low, torch.where(fine, x, math.inf).amin((0, at)).to(state.dtype), out=state.low)
        torch.maximum(state.high, torch.where(fine, x, -math.inf).amax((0, at)).to(state.dtype), out=state.high)

    def _classes(self, parts: Parts, labels: Tensor | None, groups: Groups | None, positions: int) -> None:
        state, (sums, squares, bad) = self._state, parts
        if groups is None or labels is None:
            state.sum[-1] += sums.sum(0, dtype=state.dtype)
            state.square[-1] += squares.sum(0, dtype=state.dtype)
            state.heard[-1] += sums.shape[0] * positions
            if bad is not None:
                state.bad[-1] += bad.sum(0)
            if groups is not None:
                table = groups.table(sums.shape[0], state.classes, state.dtype)
                state.add_members(table, sums, squares, bad, positions)
            return
        rows, heard = groups.index(labels, state.classes)
        state.heard += heard * positions
        for into, by_example in (state.sum, sums), (state.square, squares), (state.bad, bad):
            if by_example is not None:
                for at in range(0, len(rows), _CHUNK):
                    some = by_example[at : at + _CHUNK]
                    into += torch.zeros_like(into, dtype=some.dtype).index_add_(0, rows[at : at + _CHUNK], some)


def plain(value: Tensor) -> Tensor:
    """Apart from the graph, and in a floating type that can be summed: single precision, or double where it was that wide."""
    value = value.detach().resolve_neg()
    if value.layout != torch.strided:
        value = value.to_dense()
    if value.dtype in (torch.float32, torch.float64):
        return value
    wide = value.dtype in (torch.int32, torch.int64) and value.device.type != "mps"
    return value.to(torch.float64 if wide else torch.float32)


def quick_parts(x: Tensor, at: int, shift: Tensor, buffer: Tensor) -> Parts | None:
    """None where something wasn't finite, or squares overflowed. Only a processor is asked: it's no wait there."""
    if x.device.type != "cpu":
        return None
    shift = shift.to(x.dtype)
    deviations = torch.sub(x, shift[:, None] if at == 2 else shift, out=buffer)
    if x.shape[at] == 1:
        sums = deviations.squeeze(at)
        squares = sums * sums
    else:
        sums = deviations.sum(at)
        squares = deviations.mul_(deviations).sum(at)
    return (sums, squares, None) if math.isfinite(squares.sum().item()) else None


def exact_parts(x: Tensor, at: int, shift: Tensor) -> Parts:
    """With whatever isn't finite left out and counted."""
    fine = torch.isfinite(x)
    wide = x.double() if x.device.type == "cpu" else x
    shift = shift.to(wide.dtype)
    deviations = torch.where(fine, wide - (shift[:, None] if at == 2 else shift), 0)
    return deviations.sum(at), (deviations * deviations).sum(at), (~fine).sum(at)
