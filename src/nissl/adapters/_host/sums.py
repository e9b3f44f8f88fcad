"""The sums of values in the processor's memory: the compiled kernel reads them where they lie, numpy where it is missing."""

import math
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.sums import Accumulator, NumpyAccumulator, Sums
from nissl.errors import BadValue

Array = NDArray[Any]
_BY_UNIT = 7  # shift, low, high, positive, magnitude, nans, infs: the kernel counts on this order
_TYPES = {np.dtype(np.float32): 0, np.dtype(np.float64): 2}


def accumulator(
    to_numpy: Callable[[Any], Array], unit_axis: int, batch_axis: int, classes: int, sketch: int
) -> Accumulator:
    """For frameworks that hand over numpy arrays, or what becomes one without a copy."""
    try:
        kernel: Any = import_module("nissl.adapters._torch._sums")  # no torch in it
    except ImportError:  # built without a compiler
        kernel = None
    reference = NumpyAccumulator(unit_axis, batch_axis, classes, sketch)
    if kernel is None or os.environ.get("NISSL_NATIVE", "1") == "0":
        return _Plain(to_numpy, reference)
    return HostAccumulator(kernel, to_numpy, (unit_axis, batch_axis), classes, sketch)


class _Plain(Accumulator):
    def __init__(self, to_numpy: Callable[[Any], Array], reference: NumpyAccumulator):
        self._to_numpy, self._reference = to_numpy, reference

    def fold(self, value: Any, groups: Any = None) -> None:
        self._reference.fold(self._to_numpy(value), groups)

    def read(self) -> Sums:
        return self._reference.read()


class HostAccumulator(Accumulator):
    """Sums of deviations from a value near the mean, one block of float64, as the kernel keeps them."""

    def __init__(self, kernel: Any, to_numpy: Callable[[Any], Array], axes: tuple[int, int], classes: int, sketch: int):
        self._kernel, self._to_numpy, self._axes = kernel, to_numpy, axes
        self._classes, self._most = classes, sketch
        self._start()

    def _start(self) -> None:
        self._units: int | None = None
        self._seen, self._stride = 0, 1
        self._kept: list[Array] = []
        self._tables: NumpyAccumulator | None = None

    def fold(self, value: Any, groups: Any = None) -> None:
        given = self._to_numpy(value)
        x, last = arranged(given if given.dtype in _TYPES else given.astype(np.float32), *self._axes)
        positions, units = (x.shape[2], x.shape[1]) if last else x.shape[1:]
        labels = self._labels(groups, x, last) if self._classes and groups is not None else None
        if self._units is None:
            self._open(x, units, last)
        elif units != self._units:
            raise BadValue(f"This layer had {self._units} units, and now a value with {units} came.")
        if not x.size:
            return
        if self._most:
            self._sample(np.moveaxis(x, 1, 2) if last else x)
        if labels is not None and labels.ndim == 2:  # examples with several classes
            self._tables = self._tables or NumpyAccumulator(-1, 0, self._classes)
            self._tables.fold(np.moveaxis(x, 1, 2) if last else x, labels)
            return
        if labels is not None and len(labels) != len(x):  # a class for every position
            x = np.ascontiguousarray(np.moveaxis(x, 1, 2) if last else x).reshape(-1, 1, units)
            last, positions = False, 1
        example, step = x.strides[0] // x.itemsize, 1 if last else x.strides[1] // x.itemsize
        address = 0 if labels is None else labels.ctypes.data
        head = (_TYPES[x.dtype], int(last), x.ctypes.data, x.shape[0], positions, units, example, step)
        self._kernel.fold(*head, address, self._classes, self._all.ctypes.data)

    def _labels(self, groups: Any, x: Array, last: bool) -> Array:
        groups = np.asarray(groups)
        examples, positions = x.shape[0], x.shape[2 if last else 1]
        if groups.dtype == np.bool_ and groups.ndim == 2 and len(groups) == examples:
            return groups
        if groups.size == examples or (groups.ndim > 1 and groups.size == examples * positions):
            if self._axes[1] == 1 and groups.ndim == 2:
                groups = groups.T
            return np.ascontiguousarray(groups, np.int64).reshape(-1)
        raise BadValue(f"There are {len(groups)} labels for {examples} examples.")

    def _open(self, x: Array, units: int, last: bool) -> None:
        rows = self._classes + 1
        self._units, self._all = units, np.zeros((_BY_UNIT + 3 * rows) * units + rows)
        by_unit = self._all[:-rows].reshape(_BY_UNIT + 3 * rows, units)
        fine = np.where(np.isfinite(x), x, 0)
        by_unit[0] = fine.mean((0, 2 if last else 1)).astype(x.dtype) if x.size else 0
        by_unit[1], by_unit[2] = math.inf, -math.inf

    def _sample(self, x: Array) -> None:
        """Every stride-th row of the whole stream; when there are too many, every other one of those."""
        rows = x.shape[0] * x.shape[1]
        until = self._seen + rows
        while -(-until // self._stride) > self._most:
            self._stride *= 2
            kept = np.concatenate(self._kept)[::2] if self._kept else None
            self._kept = [] if kept is None else [kept]
        at = np.arange(-self._seen % self._stride, rows, self._stride)
        if len(at):
            self._kept.append(x[at // x.shape[1], at % x.shape[1]].astype(np.float64))
        self._seen = until

    def read(self) -> Sums:
        if self._units is None:
            return Sums.empty(0, self._classes)
        sums = self._heard() if self._tables is None else self._heard().merge(self._tables.read())
        if self._kept:
            sums.sketch, sums.stride = np.concatenate(self._kept), self._stride
        self._start()
        return sums

    def _heard(self) -> Sums:
        rows = self._classes + 1
        table = self._all[:-rows].reshape(-1, self._units or 0)
        shift, low, high, positive, magnitude, nans, infs = table[:_BY_UNIT]
        total, square, bad = table[_BY_UNIT:].reshape(3, rows, -1)
        heard = self._all[-rows:]
        count, of_class = heard.sum() - nans - infs, heard[:-1, None] - bad[:-1]
        whole = _moments(count, total.sum(0), square.sum(0), shift)
        classes = _moments(of_class, total[:-1], square[:-1], shift)
        return Sums(count, *whole, low, high, positive, magnitude, nans, infs, of_class, *classes)


def _moments(count: Array, sums: Array, squares: Array, shift: Array) -> tuple[Array, Array]:
    """Mean and sum of squared deviations from it, of numbers summed as deviations from `shift`."""
    gap = np.divide(sums, count, out=np.zeros_like(sums), where=count > 0)
    return np.where(count > 0, shift + gap, 0.0), np.maximum(squares - sums * gap, 0.0)


def arranged(value: Array, unit_axis: int, batch_axis: int) -> tuple[Array, bool]:
    """As (example, position, unit); or (example, unit, position), and True, where a unit's positions lie side by side."""
    if not value.ndim:
        raise BadValue("A layer's value is a single number, so it has no axis of units; leave this layer out.")
    unit, batch = unit_axis % value.ndim, batch_axis % value.ndim
    if unit == batch:
        return np.ascontiguousarray(value).reshape(1, 1, -1), False
    examples, units = value.shape[batch], value.shape[unit]
    positions = value.size // (examples * units) if value.size else 0
    last = bool(value.ndim > 2 and unit < value.ndim - 1)
    moved = np.ascontiguousarray(np.moveaxis(value, (batch, unit), (0, 1 if last else -1)))
    return moved.reshape((examples, units, positions) if last else (examples, positions, units)), last
