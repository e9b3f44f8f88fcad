"""Who is near whom, and what of it a projection keeps: numpy alone, in pieces of bounded size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue

Array = NDArray[Any]
Rows = NDArray[np.intp]
PIECE = 4_000_000
"""The most distances that are held at a time."""


def _apart(x: Array, rows: Any) -> Iterator[tuple[Rows, Array]]:
    """How far these rows are from all points, a piece at a time: which rows, and (row, point) with themselves at -1.

    Squared Euclidean distances, in whole steps so small that only what is equal is equal: a matrix product's last digits are no order.
    """
    x = x - x.mean(0)  # large offsets would eat the digits of the difference
    square = (x**2).sum(1)
    finest = max(4 * float(square.max(initial=0)), 1e-280) / 2**40
    asked = np.arange(len(x))[rows]
    step = max(1, PIECE // max(len(x), 1))
    for first in range(0, len(asked), step):
        some = asked[first : first + step]
        found = -2 * x[some] @ x.T
        found += square[some, None]
        found += square
        found /= finest
        np.rint(found, out=found)
        np.maximum(found, 0, out=found)
        found[np.arange(len(some)), some] = -1
        yield some, found


def nearest(x: Array, k: int, rows: Any = slice(None)) -> Rows:
    """The k nearest other points of each row, nearest first; of equally near ones the earlier."""
    x = np.asarray(x, float)
    k = _bounded(len(x), k)
    found = []
    for _, apart in _apart(x, rows):
        found.append(_least(apart, k + 1)[:, 1:])
    return np.concatenate(found) if found else np.empty((0, k), np.intp)


def _least(values: Array, k: int) -> Rows:
    """Places of the k least of each row in rising order, the earlier of equals; as a stable sort would, in a tenth of its time."""
    if 4 * k >= values.shape[1]:
        return values.argsort(1, kind="stable")[:, :k]
    last = np.partition(values, k - 1, 1)[:, k - 1, None]
    within = values <= last
    found = np.empty((len(values), k), np.intp)
    for row, inside in enumerate(within):
        places = np.flatnonzero(inside)
        found[row] = places[values[row, places].argsort(kind="stable")[:k]]
    return found


def _bounded(count: int, k: int) -> int:
    """As many neighbours as there can be."""
    if k < 1:
        raise BadValue(f"k={k}: how many neighbours are looked at is a number from 1 on.")
    return max(0, min(k, count - 1))


@dataclass(frozen=True)
class Preserved:
    """What a projection keeps of who is near whom."""

    trustworthiness: float
    """1: whoever is near in the projection is near in truth; 0.5 for a random one."""
    kept: float
    """The share of the k nearest in truth that are among the k nearest in the projection."""
    k: int
    looked_at: int
    """From how many points; fewer than there are where that would take long."""


def preserved(x: Any, y: Any, k: int = 15, *, most: int | None = None, seed: int = 0) -> Preserved:
    """Of points x (point, feature) in truth and y (point, 2) in the projection; `most`: looked at from so many of them at most."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise BadValue(f"x {x.shape} and y {y.shape} are not the same points, (point, feature) each.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise BadValue("Neighbours are found among finite numbers: there are NaN or infinite ones.")
    rows = anchors(len(x), most, seed)
    near = nearest(y, k, rows)
    ranks, share = ranked(x, rows, near[None])
    k = near.shape[1]
    return Preserved(float(trust(ranks[0], len(x))), float(share[0]), k, len(rows))


def anchors(count: int, most: int | None, seed: int) -> Rows:
    """All points, or so many of them, drawn."""
    if most is None or count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def ranked(x: Array, rows: Rows, near: Array) -> tuple[Array, Array]:
    """For several candidates (candidate, row, neighbour): how near each neighbour is in truth, 1 the nearest; the share within k.

    Whoever is just as near as another is not ranked behind it.
    """
    k = near.shape[2]
    ranks = np.empty(near.shape, np.int64)
    if not k:
        return ranks, np.ones(len(near))
    place = 0
    for _, apart in _apart(x, rows):
        for line in apart:
            ranks[:, place] = np.searchsorted(np.sort(line), line[near[:, place]])  # itself is before all
            place += 1
    return ranks, (ranks <= k).mean((1, 2)) if len(rows) else np.ones(len(near))


def trust(ranks: Array, count: int) -> float:
    """Trustworthiness (Venna and Kaski) of k neighbours' ranks in truth, (row, k); 1 where there is nothing to lose."""
    k = ranks.shape[-1]
    worst = np.maximum(np.arange(count - k, count) - k, 0).sum()
    return float(1 - np.maximum(ranks - k, 0).sum(-1).mean() / worst) if worst and len(ranks) else 1.0
