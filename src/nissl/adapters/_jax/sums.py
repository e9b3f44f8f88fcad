"""A layer's sums: feature maps are reduced inside the program, to numbers for each example and unit; the host adds these up."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp
from numpy.typing import NDArray

from nissl.adapters._host.sums import accumulator
from nissl.adapters._jax.values import to_numpy
from nissl.core.layer import Layer
from nissl.core.sums import Accumulator, Floats, Sums, spread
from nissl.errors import BadValue

MOST_POSITIONS = 16
"""Of an example, in the sample that quantiles are made of."""
MEASURES = ("mean", "m2", "low", "high", "positive", "magnitude", "nans", "infs")


@dataclass(frozen=True)
class Reduced:
    """A feature map as it left the program: MEASURES over each example's positions, and a few of the positions themselves."""

    measures: Any  # (example, measure, unit)
    sample: Any  # (example, position, unit)
    positions: int
    stride: int


def reduces(layer: Layer) -> bool:
    """Is it worth it? A dense layer's value is small, and may have a class for every position."""
    return layer.kind == "conv"


def reduced(value: Any, unit_axis: int) -> tuple[Any, Any]:
    """Measures and sample of a traced feature map, whose first axis counts examples."""
    unit = unit_axis % value.ndim
    over = tuple(axis for axis in range(1, value.ndim) if axis != unit)
    if value.dtype not in (jnp.float32, jnp.float64):
        value = value.astype(jnp.float32)
    # on a processor a reduction alone is fast, and one that looks for what isn't finite takes twenty times as long
    fine = jnp.isfinite(value.sum())
    measures = jax.lax.cond(fine, lambda v: _plain(v, over), lambda v: _careful(v, over), value)
    rows = jnp.moveaxis(value, unit, -1).reshape(len(value), -1, value.shape[unit])
    return measures, rows[:, chosen(rows.shape[1])[0]]


def _plain(value: Any, over: tuple[int, ...]) -> Any:
    mean = value.mean(over, keepdims=True)
    m2, positive = ((value - mean) ** 2).sum(over), (value > 0).astype(value.dtype).sum(over)
    none = jnp.zeros_like(m2)
    ends = value.min(over), value.max(over)
    return jnp.stack([mean.reshape(m2.shape), m2, *ends, positive, jnp.abs(value).sum(over), none, none], 1)


def _careful(value: Any, over: tuple[int, ...]) -> Any:
    fine, nan = jnp.isfinite(value), jnp.isnan(value)
    plain, count = jnp.where(fine, value, 0), jnp.maximum(fine.sum(over, keepdims=True), 1)
    mean = plain.sum(over, keepdims=True) / count
    m2 = jnp.where(fine, (value - mean) ** 2, 0).sum(over)
    ends = jnp.where(fine, value, jnp.inf).min(over), jnp.where(fine, value, -jnp.inf).max(over)
    counts = (fine & (value > 0)).sum(over), jnp.abs(plain).sum(over), nan.sum(over), (~fine & ~nan).sum(over)
    every = (mean.reshape(m2.shape), m2, *ends, *counts)
    return jnp.stack([each.astype(value.dtype) for each in every], 1)


def chosen(positions: int) -> tuple[NDArray[np.int64], int]:
    """Which positions stand for all, always the same ones but in no row of the map; and one in how many they are."""
    stride = 1
    while positions > MOST_POSITIONS * stride:
        stride *= 2
    some = np.random.default_rng(0).permutation(positions)[: -(-positions // stride)]
    return np.sort(some), stride


@dataclass
class _Part:
    """One value, ready to be added up: for every row and unit how many finite numbers, their mean and spread."""

    count: Floats
    mean: Floats
    m2: Floats
    example: NDArray[np.int64]
    totals: tuple[Any, ...]
    """low, high, positive, magnitude, nans, infs."""
    sample: Floats
    stride: int


class JaxAccumulator(Accumulator):
    """Whole values go to the host's; of reduced ones, sums of deviations from the first mean, in float64, by one product of matrices."""

    def __init__(self, layer: Layer, classes: int, sketch: int):
        self._layer, self._classes, self._most = layer, classes, sketch
        self._whole = accumulator(to_numpy, layer.unit_axis, layer.batch_axis, classes, sketch)
        self._clear()

    def _clear(self) -> None:
        self._shift: Floats | None = None
        self._moments: Floats  # (count sum square, class or all, unit)
        self._low: Floats
        self._high: Floats
        self._counts: Floats
        self._sketch: list[Floats] = []
        self._kept, self._stride = 0, 1

    def fold(self, value: Any, groups: Any = None) -> None:
        if not isinstance(value, Reduced):
            self._whole.fold(value, groups)
            return
        part = _part(value)
        member = self._members(part.example, groups)
        if self._shift is None:
            self._begin(part)
        assert self._shift is not None
        if part.mean.shape[-1] != len(self._shift):
            raise BadValue(f"{self._layer.name} had {len(self._shift)} units before, and {part.mean.shape[-1]} now.")
        away = part.mean - self._shift.astype(part.mean.dtype)
        if part.count.size == 1:
            count = member.sum(1, keepdims=True) * part.count
            sums, squares = part.count * (member @ away), part.count * (member @ (away * away))
        else:
            count, sums, squares = (
                member @ part.count,
                member @ (part.count * away),
                member @ (part.count * away * away),
            )
        self._moments += (np.broadcast_to(count, sums.shape), sums, squares)
        self._moments[2] += member @ part.m2
        self._low, self._high = np.minimum(self._low, part.totals[0]), np.maximum(self._high, part.totals[1])
        self._counts += part.totals[2:]
        if self._most:
            self._sample(part.sample, part.stride)

    def _begin(self, part: _Part) -> None:
        units = part.mean.shape[-1]
        heard = np.maximum(np.broadcast_to(part.count, part.mean.shape).sum(0), 1)
        mean = (part.count * part.mean).sum(0, dtype=np.float64) / heard
        self._shift = mean.astype(part.mean.dtype).astype(np.float64)  # what single precision can take away exactly
        self._moments = np.zeros((3, self._classes + 1, units))
        self._low, self._high, self._counts = np.full(units, np.inf), np.full(units, -np.inf), np.zeros((4, units))

    def _members(self, example: NDArray[np.int64], groups: Any) -> Floats:
        """(class, row): which rows count for which class; the last stands for all."""
        member = np.zeros((self._classes + 1, len(example)))
        member[-1] = 1
        if self._classes and groups is not None:
            rows = spread(groups, example)
            assert rows is not None
            if len(rows) != len(example):
                raise BadValue(f"There are {len(rows)} labels for {len(example)} rows of {self._layer.name}.")
            member[:-1] = rows.T if rows.ndim == 2 else rows == np.arange(self._classes)[:, None]
        return member

    def _sample(self, rows: Floats, stride: int) -> None:
        """Rows are thinned to the coarsest stride so far, which doubles when there are too many of them."""
        while stride < self._stride:
            rows, stride = rows[::2], stride * 2
        while stride > self._stride:
            self._thin()
        self._sketch.append(rows)
        self._kept += len(rows)
        while self._kept > self._most:
            self._thin()

    def _thin(self) -> None:
        self._sketch, self._stride = [np.concatenate(self._sketch)[::2]] if self._sketch else [], self._stride * 2
        self._kept = sum(map(len, self._sketch))

    def read(self) -> Sums:
        whole = self._whole.read()
        if self._shift is None:
            return whole
        return whole.merge(self._reduced()) if len(whole.count) else self._reduced()

    def _reduced(self) -> Sums:
        assert self._shift is not None
        count, sums, squares = self._moments
        gap = np.divide(sums, count, out=np.zeros_like(sums), where=count > 0)
        mean, m2 = np.where(count > 0, self._shift + gap, 0.0), np.maximum(squares - sums * gap, 0.0)
        positive, magnitude, nans, infs = self._counts
        found = Sums(
            count[-1], mean[-1], m2[-1], self._low, self._high, positive, magnitude, nans, infs,
            count[:-1], mean[:-1], m2[:-1],
        )  # fmt: skip
        if self._sketch:
            found.sketch, found.stride = np.concatenate(self._sketch), self._stride
        self._clear()
        return found


def _part(value: Reduced) -> _Part:
    measures = np.asarray(value.measures, np.float64)
    mean, m2, low, high, positive, magnitude, nans, infs = np.moveaxis(measures, 1, 0)
    bad = nans + infs
    count = value.positions - bad if bad.any() else np.full((1, 1), float(value.positions))
    totals = (low.min(0), high.max(0), positive.sum(0), magnitude.sum(0), nans.sum(0), infs.sum(0))
    sample = np.asarray(value.sample, np.float64)
    return _Part(count, mean, m2, np.arange(len(mean)), totals, sample.reshape(-1, sample.shape[-1]), value.stride)
