"""What one pass over a layer's values leaves behind: mergeable sums for every unit, and for every unit and class.

`Sums` is exact float64 and merges by Chan's rule, so batches, steps and ranks may be folded in any grouping. The
`NumpyAccumulator` is the reference that every adapter's own accumulator is held to.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue

Floats = NDArray[np.float64]


@dataclass
class Sums:
    """Over all finite values of each unit. `count` is per unit because NaN and infinity are left out and counted apart."""

    count: Floats  # (unit,)
    mean: Floats
    m2: Floats  # sum of squared deviations from the mean
    low: Floats  # +inf where nothing was heard
    high: Floats
    positive: Floats  # how many values were > 0
    magnitude: Floats  # sum of |value|
    nans: Floats
    infs: Floats
    class_count: Floats  # (class, unit); (0, unit) where classes are not followed
    class_mean: Floats
    class_m2: Floats
    sketch: Floats = field(default_factory=lambda: np.zeros((0, 0)))  # (row, unit) every `stride`-th row of values
    stride: int = 1

    @classmethod
    def empty(cls, units: int, classes: int = 0) -> "Sums":
        n, (a, b, c) = np.zeros((7, units)), np.zeros((3, classes, units))
        low, high = np.full(units, np.inf), np.full(units, -np.inf)
        return cls(n[0], n[1], n[2], low, high, n[3], n[4], n[5], n[6], a, b, c, np.zeros((0, units)))

    @classmethod
    def of(cls, rows: Floats, groups: NDArray[Any] | None = None, classes: int = 0) -> "Sums":
        """The sums of `rows` (row, unit); `groups` is a class for each row, or a (row, class) table of memberships."""
        rows = np.asarray(rows, np.float64)
        sums = cls.empty(rows.shape[1], classes)
        fine = np.isfinite(rows)
        sums.nans, sums.infs = np.isnan(rows).sum(0).astype(float), np.isinf(rows).sum(0).astype(float)
        sums.count, sums.mean, sums.m2 = _moments(rows, fine)
        sums.low = np.where(fine, rows, np.inf).min(0, initial=np.inf)
        sums.high = np.where(fine, rows, -np.inf).max(0, initial=-np.inf)
        sums.positive = (fine & (rows > 0)).sum(0).astype(float)
        sums.magnitude = np.abs(np.where(fine, rows, 0)).sum(0)
        if classes and groups is not None:
            member = groups.astype(bool) if groups.ndim == 2 else groups[:, None] == np.arange(classes)
            for k in range(classes):
                chosen = member[:, k]
                sums.class_count[k], sums.class_mean[k], sums.class_m2[k] = _moments(rows[chosen], fine[chosen])
        return sums

    def merge(self, other: "Sums") -> "Sums":
        """Both together; neither is changed."""
        count, mean, m2 = chan(self.count, self.mean, self.m2, other.count, other.mean, other.m2)
        classes = chan(
            self.class_count, self.class_mean, self.class_m2, other.class_count, other.class_mean, other.class_m2
        )
        sketch, stride = _thinned(self, other)
        return Sums(
            count, mean, m2,
            np.minimum(self.low, other.low), np.maximum(self.high, other.high),
            self.positive + other.positive, self.magnitude + other.magnitude,
            self.nans + other.nans, self.infs + other.infs,
            *classes, sketch, stride,
        )  # fmt: skip


def chan(
    n1: Floats, mean1: Floats, m21: Floats, n2: Floats, mean2: Floats, m22: Floats
) -> tuple[Floats, Floats, Floats]:
    """Count, mean and sum of squared deviations of two groups together (Chan, Golub and LeVeque, 1979)."""
    n = n1 + n2
    share = np.divide(n2, n, out=np.zeros_like(n), where=n > 0)
    gap = mean2 - mean1
    return n, mean1 + gap * share, m21 + m22 + gap * gap * n1 * share


def _moments(rows: Floats, fine: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    count = fine.sum(0).astype(float)
    mean = np.divide(np.where(fine, rows, 0).sum(0), count, out=np.zeros(rows.shape[1]), where=count > 0)
    return count, mean, (np.where(fine, rows - mean, 0) ** 2).sum(0)


def _thinned(a: Sums, b: Sums) -> tuple[Floats, int]:
    """Two sketches as one: the finer is thinned to the coarser's stride, so that every value weighs the same."""
    stride = max(a.stride, b.stride)
    rows = [s.sketch[:: stride // s.stride] for s in (a, b) if len(s.sketch)]
    return (np.concatenate(rows) if rows else a.sketch), stride


class Accumulator(ABC):
    """Folds a layer's values into sums, batch by batch, where the values live. `sketch` is the most rows it keeps (0: none)."""

    @abstractmethod
    def fold(self, value: Any, groups: Any = None) -> None:
        """Add one value of the layer; `groups` came from the network's `groups`, None leaves classes out."""

    @abstractmethod
    def read(self) -> Sums:
        """What was folded since the last read, as numpy; then start again from nothing."""


class NumpyAccumulator(Accumulator):
    """The reference: plain numpy, float64."""

    def __init__(self, unit_axis: int, batch_axis: int = 0, classes: int = 0, sketch: int = 0):
        self._axes, self._classes, self._most = (unit_axis, batch_axis), classes, sketch
        self._sums: Sums | None = None
        self._seen, self._stride, self._kept = 0, 1, []  # type: tuple[int, int, list[Floats]]

    def fold(self, value: Any, groups: Any = None) -> None:
        rows, example = rows_of(np.asarray(value), *self._axes)
        if groups is not None and self._axes[1] == 1 and np.shape(groups) == np.shape(value)[:2]:
            groups = np.asarray(groups).T  # a class for every position, laid out as the value is
        sums = Sums.of(rows, spread(groups, example), self._classes)
        self._sums = sums if self._sums is None else self._sums.merge(sums)
        if self._most:
            self._sample(rows)

    def _sample(self, rows: Floats) -> None:
        """Keep every stride-th row of the whole stream; when there are too many, keep every other one of those."""
        first = -self._seen % self._stride
        self._kept.extend(rows[first :: self._stride])
        self._seen += len(rows)
        while len(self._kept) > self._most:
            self._kept, self._stride = self._kept[::2], self._stride * 2

    def read(self) -> Sums:
        sums = self._sums if self._sums is not None else Sums.empty(0, self._classes)
        if self._kept:
            sums.sketch, sums.stride = np.array(self._kept), self._stride
        self._sums, self._seen, self._stride, self._kept = None, 0, 1, []
        return sums


def spread(groups: Any, example: NDArray[np.int64]) -> NDArray[Any] | None:
    """Groups by example or by position, as groups by row; a class below 0 is no class."""
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.dtype != np.bool_ and groups.ndim > 1 and groups.size == len(example):
        return groups.reshape(-1)  # a class for every position, as in language models
    if len(example) and len(groups) != example[-1] + 1:
        raise BadValue(f"There are {len(groups)} labels for {example[-1] + 1} examples.")
    return groups[example]


def rows_of(value: NDArray[Any], unit_axis: int, batch_axis: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    """A value as (row, unit), and for each row the example that it belongs to."""
    unit, batch = unit_axis % value.ndim, batch_axis % value.ndim
    if unit == batch:  # a single vector of units, no batch
        return value.reshape(1, -1).astype(np.float64), np.zeros(1, np.int64)
    moved = np.moveaxis(value, (batch, unit), (0, -1))
    example = np.repeat(np.arange(moved.shape[0]), int(np.prod(moved.shape[1:-1])))
    return moved.reshape(-1, moved.shape[-1]).astype(np.float64), example
