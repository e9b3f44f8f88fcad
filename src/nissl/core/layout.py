"""The contract of a layout: numbers of units in, a place in the plane for each unit out."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nissl.core.named import named
from nissl.errors import BadValue

Array = NDArray[Any]
Distance = Literal["cosine", "euclidean", "correlation"]
STEPS = 256
"""Features are rounded to such a share of the largest: what two frameworks' last digits differ by moves no unit."""


class Layout(ABC):
    """A way to place units; a frozen dataclass of plain options."""

    even: ClassVar[bool] = False
    """Are its places spread evenly over an area?"""
    needs: ClassVar[str] = ""
    """The module that must be installed for it."""
    cells: ClassVar[str] = ""
    """The shape, grid or disc, in which every unit has a cell of its own."""

    @abstractmethod
    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        """(unit, 2) of at least three units, whose features (unit, principal component) are as far apart as they are unlike.

        `start`: places to begin from, so that units move no more than they must. The same input and seed: the same bytes.
        """


@dataclass(frozen=True)
class EvenLayout(Layout):
    """Spreads what another layout placed; it may do without one."""

    even: ClassVar[bool] = True
    of: str | Layout | None = None
    """The layout that is spread, by name or made; None: the way that serves this one best."""

    def embedding(self) -> Layout | None:
        """What is to be spread, made."""
        return None if self.of is None else layout(self.of, {})


def layout(given: Any, options: Mapping[str, Any]) -> Layout:
    """The layout that is meant: by name with its options, or one that was made already."""
    found: Layout = named("layouts", Layout, given, options)
    return found


def comparable(values: Any, distance: Distance = "cosine") -> Array:
    """(unit, feature) as numbers whose Euclidean distance is the distance asked for.

    Columns without a number are left out, and a single NaN is its column's mean. Units are rounded to what can be told apart.
    """
    if distance not in get_args(Distance):
        raise BadValue(f"distance={distance!r}: {', '.join(map(repr, get_args(Distance)))}.")
    table = np.asarray(values)
    if table.ndim != 2 or table.dtype.kind not in "fiub":
        raise BadValue(f"Units are placed by numbers, (unit, feature), not by {table.dtype} of shape {table.shape}.")
    if not len(table):
        raise BadValue("There is no unit to place.")
    table = table.astype(float)
    table[~np.isfinite(table)] = np.nan
    known = ~np.isnan(table)
    table, known = table[:, known.any(0)], known[:, known.any(0)]
    largest = np.abs(table).max(initial=0, where=known)
    if not table.size or not largest:
        return np.zeros((len(table), 1))
    table = np.where(known, table / largest, 0)
    table = np.where(known, table, table.sum(0) / known.sum(0))
    if distance == "correlation":
        table -= table.mean(1, keepdims=True)
    if distance != "euclidean":
        length = np.sqrt((table**2).sum(1, keepdims=True))
        table = np.divide(
            table, length, where=length > 1e-6, out=np.zeros_like(table)
        )  # a silent unit has no direction
    step = np.abs(table).max() / STEPS
    return np.round(table / step) * step if step else table


def principal(features: Array, most: int = 50) -> Array:
    """The features' `most` principal components; each points to where its largest entry is positive, so that there is one answer."""
    centred = features - features.mean(0)
    if min(centred.shape) == 0:
        return np.zeros((len(features), 1))
    turned = len(centred) < centred.shape[1]
    square = centred @ centred.T if turned else centred.T @ centred
    strength, axes = np.linalg.eigh(square)
    strength, axes = np.maximum(strength[::-1][:most], 0), axes[:, ::-1][:, :most]
    some = strength > 1e-10 * max(float(strength[0]), 1e-300)
    found = axes * np.sqrt(strength) if turned else centred @ axes
    found = found[:, some] if some.any() else np.zeros((len(features), 1))
    largest = np.abs(found).argmax(0)
    turned_to: Array = found * np.where(found[largest, np.arange(found.shape[1])] < 0, -1, 1)
    return turned_to


def plane(features: Array) -> Array:
    """The first two of principal components as places; zero where there are fewer."""
    found: Array = np.pad(features[:, :2], ((0, 0), (0, max(0, 2 - features.shape[1]))))
    return found


def placed(how: Layout, features: Array, start: Array | None = None, seed: int = 0) -> Array:
    """(unit, 2) in the unit square, finite whatever the features are: those of `comparable`."""
    count = len(features)
    if start is not None and (start.shape != (count, 2) or not np.isfinite(start).all()):
        raise BadValue(f"start: {count} units' places are ({count}, 2) finite numbers, not {start.shape}.")
    if count < 3:
        return np.array([[0.5, 0.5]]) if count == 1 else np.array([[0.25, 0.5], [0.75, 0.5]])
    found = np.asarray(how.place(principal(features), start, seed), float)
    if found.shape != (count, 2) or not np.isfinite(found).all():
        raise BadValue(f"{how!r} gave no place to some of {count} units: {found.shape}.")
    return fitted(found)


def fitted(positions: Array) -> Array:
    """Scaled into the unit square, in the middle, with what is square kept square."""
    low, high = positions.min(0), positions.max(0)
    side = float((high - low).max())
    if not side > 0:
        return np.full_like(positions, 0.5)
    found: Array = 0.5 + (positions - (low + high) / 2) / side
    return found


class GradualLayout(Layout):
    """A layout that comes about step by step, and can be looked at meanwhile."""

    @abstractmethod
    def steps(self, features: Array, start: Array | None, seed: int) -> Iterator[tuple[float, Array]]:
        """The share of the work that is done, and the places so far; the last is the answer. What `place` gives."""

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        found = features
        for _, found in self.steps(features, start, seed):  # noqa: B007 - the last one is the answer
            pass
        return found


class PathLayout(Layout):
    """A layout that places units at several epochs at once, in one plane or space."""

    @abstractmethod
    def paths(self, features: Array, dimensions: int, seed: int) -> Array:
        """(epoch, unit, dimension) of (epoch, unit, feature); the same input and seed: the same bytes."""

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        return self.paths(features[None], 2, seed)[0]
