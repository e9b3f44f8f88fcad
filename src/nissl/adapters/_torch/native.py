"""The sums by the compiled kernel: one pass over the values, where they lie, without a copy wherever that is possible."""

import os
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from nissl.adapters._torch.eager import exact_parts, plain, quick_parts
from nissl.adapters._torch.groups import Groups
from nissl.adapters._torch.sketch import Sketch
from nissl.adapters._torch.state import State, arranged
from nissl.errors import Unsupported

try:
    kernel: Any = import_module("nissl.adapters._torch._sums")
except ImportError:  # built without a compiler
    kernel = None

_Sizes = tuple[int, int, int, int, int]  # examples, positions, units, and the steps from one to the next
_TYPES = {torch.float32: 0, torch.bfloat16: 1, torch.float64: 2}


def wanted() -> bool:
    """Whether the kernel is there and not switched off."""
    return kernel is not None and os.environ.get("NISSL_NATIVE", "1") != "0"


class Native:
    """Looks closely at the first value of a shape; the like of it goes to the kernel by its address alone."""

    def __init__(self, state: State, axes: tuple[int, int], sketch: Sketch | None):
        self._state, self._axes, self._sketch = state, axes, sketch
        self._tail = (state.classes, state.all.data_ptr())
        self._shape: Any = None
        self._strides: Any = None
        self._dtype: Any = None

    def fold(self, value: Tensor, groups: Groups | None) -> None:
        if value.dtype is not self._dtype or value.shape != self._shape or value.stride() != self._strides:
            x = self._look(value)
        else:
            x = value if self._direct else self._taken(value)[0]
        address, sizes, labels = x.data_ptr(), self._sizes, 0
        if not address:
            self._check_empty(value)
            return
        if not self._state.centred:
            with torch.inference_mode(False), torch.no_grad():
                x3, last = self._taken(value)
                self._state.centre(x3.float() if x3.dtype is torch.bfloat16 else x3, (0, 2 if last else 1))
        head, read = self._head, x
        if groups is not None:
            if groups.address and groups.examples == sizes[0]:
                labels = groups.address
            elif groups.member is not None:
                self._members(value, groups)
            else:
                head, sizes, read, labels = self._by_position(value, groups)
        kernel.fold(*head, read.data_ptr(), *sizes, labels, *self._tail)
        if self._sketch is not None:
            self._pick(self._sketch, address)

    def _look(self, value: Tensor) -> Tensor:
        """Learn how a value of this shape lies in memory."""
        x, last = self._taken(value)
        self._state.check(x.shape[1 if last else 2])
        self._direct = x.data_ptr() == value.data_ptr() and x.dtype is value.dtype and not value.is_neg()
        self._head = (_TYPES[x.dtype], int(last))
        positions, unit, position = (x.shape[2], x.stride(1), 1) if last else (x.shape[1], 1, x.stride(1))
        self._sizes = (x.shape[0], positions, self._state.units, x.stride(0), position)
        self._unit_step = unit
        if value.layout == torch.strided:
            self._shape, self._strides, self._dtype = value.shape, value.stride(), value.dtype
        return x

    def _taken(self, value: Tensor) -> tuple[Tensor, bool]:
        """Arranged and in a type that the kernel reads, copied only if it must be."""
        brief = value.dtype is torch.bfloat16 and value.layout is torch.strided
        value = value.detach() if brief else plain(value)
        x, last = arranged(value, *self._axes)
        beside = x.shape[2] == 1 or x.stride(2) == 1
        closed = not last or x.shape[1] == 1 or x.stride(1) == x.shape[2]
        return (x if beside and closed else x.contiguous()), last

    def _check_empty(self, value: Tensor) -> None:
        if value.numel():
            raise Unsupported(
                f"A layer's value is a {type(value).__name__}, whose numbers lie nowhere that can be read: set "
                "NISSL_NATIVE=0 to hear it by torch's own operations."
            )

    def _pick(self, sketch: Sketch, address: int) -> None:
        examples, positions, units, example, position = self._sizes
        first, count = sketch.next(examples * positions)
        if count:
            where = (positions, units, example, position, self._unit_step)
            kernel.pick(self._head[0], address, *where, first, sketch.stride, count, sketch.room(count))

    def _members(self, value: Tensor, groups: Groups) -> None:
        """Examples with several classes: the kernel does the units, a product of matrices the classes."""
        with torch.inference_mode(False), torch.no_grad():
            x, last = arranged(plain(value), *self._axes)
            table = groups.table(x.shape[0], self._state.classes, self._state.dtype)
            at, shift = 2 if last else 1, self._state.shift
            parts = quick_parts(x, at, shift, torch.empty_like(x)) or exact_parts(x, at, shift)
            self._state.add_members(table, *parts, self._sizes[1])

    def _by_position(self, value: Tensor, groups: Groups) -> tuple[tuple[int, int], _Sizes, Tensor, int]:
        """A class for every position: each row is then an example of its own."""
        examples, positions, units, _, _ = self._sizes
        x, last = self._taken(value)
        if last:
            x = x.transpose(1, 2).contiguous()
        position_first = x.stride(1) == examples * x.stride(0)
        if not position_first and x.stride(0) != positions * x.stride(1):
            x = x.contiguous()
        labels = groups.rows(examples, positions, position_first)
        step = x.stride(0) if position_first else x.stride(1)
        return (self._head[0], 0), (examples * positions, 1, units, step, 0), x, labels.data_ptr()
