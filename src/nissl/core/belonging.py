"""Whose a unit is: its owner, how far it is that class's own, whose structures it is in; all from tables (unit, class)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.choosing import Size, foremost, ranked

Array = NDArray[Any]
Flags = NDArray[np.bool_]
NOBODY = -1


def shares(table: Array) -> Array:
    """What each unit adds to each class; what it takes away, or nobody measured, counts as nothing."""
    return np.maximum(np.nan_to_num(table), 0.0)


def owners(table: Array) -> NDArray[np.int64]:
    """The number of the class that each unit adds most to; -1 where it adds to none."""
    positive = shares(table)
    return np.where(positive.max(1) > 0, positive.argmax(1), NOBODY)


def specificity(table: Array) -> Array:
    """How far a unit is one class's own: 1 less the entropy of its shares over its largest; 0 where it adds nothing."""
    positive = shares(table)
    total = positive.sum(1, keepdims=True)
    share = np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(1)
    return np.where(total[:, 0] > 0, 1 - entropy / np.log(max(table.shape[1], 2)), 0.0)


def members(tables: Mapping[str, Array], size: Size, rank: str) -> dict[str, Flags]:
    """By layer (unit, class): is the unit in the class's structure? Nobody is in that of a class that was not measured."""
    whole = np.concatenate(list(tables.values()))
    count = size.count(len(whole))
    filled = np.nan_to_num(whole)
    inside = np.zeros(whole.shape, bool)
    for k in np.flatnonzero(np.isfinite(whole).any(0)):
        inside[foremost(ranked(rank, filled.T, int(k)), count), k] = True
    edges = np.cumsum([len(table) for table in tables.values()])[:-1]
    return dict(zip(tables, np.split(inside, edges), strict=True))


def jaccard(first: Mapping[str, Flags], second: Mapping[str, Flags]) -> Array:
    """For each class the share of units in either structure that are in both; NaN where both are empty."""
    both = sum((first[name] & second[name]).sum(0) for name in first)
    either = sum((first[name] | second[name]).sum(0) for name in first)
    return np.divide(both, either, out=np.full(np.shape(either), np.nan), where=np.asarray(either) > 0)
