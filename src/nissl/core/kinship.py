"""How alike groups are in what a layer makes of them."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue

Array = NDArray[Any]
By = Literal["correlation", "cosine", "euclidean"]


@dataclass(frozen=True, eq=False)
class Kinship:
    """Groups joined step by step with those that they are nearest to; made by `nissl.kinship`."""

    layer: str
    groups: tuple[str, ...]
    counts: tuple[int, ...]
    """How many examples each has."""
    distances: Array
    """(group, group): 1 - similarity, or Euclidean distances."""
    by: By
    joins: Array
    """(join, 4) as scipy's linkage: the two that are joined, at which distance, how many groups that makes."""
    order: tuple[int, ...]
    """Of the groups, so that neighbours are as near each other as the joins allow."""

    @property
    def named(self) -> tuple[str, ...]:
        """The groups in that order."""
        return tuple(self.groups[i] for i in self.order)


def similarities(table: Array, by: By) -> Array:
    """Of rows (group, place), -1 to 1; places that some group has no value for are left out.

    NaN of a group that has no direction: all zeros, or for correlation all alike.
    """
    if by not in ("correlation", "cosine"):
        raise BadValue(f"by={by!r}: correlation or cosine.")
    rows = _shared(table)
    if by == "correlation":
        rows = rows - rows.mean(1, keepdims=True)
    length = np.sqrt((rows**2).sum(1))
    floor = 1e-12 * max(float(np.abs(_shared(table)).max(initial=0)), 1e-300) * rows.shape[1] ** 0.5
    length = np.where(length > floor, length, np.nan)
    return np.clip(rows @ rows.T / (length[:, None] * length), -1, 1)


def distances(table: Array, by: By) -> Array:
    """Between rows (group, place): 1 - similarity, or Euclidean; a group without direction is at 1 from all others."""
    if by not in get_args(By):
        raise BadValue(f"by={by!r}: one of {', '.join(get_args(By))}.")
    if by == "euclidean":
        rows = _shared(table)
        squares = (rows**2).sum(1)
        found = np.sqrt(np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0))
    else:
        found = 1 - np.nan_to_num(similarities(table, by))
    np.fill_diagonal(found, 0)
    return (found + found.T) / 2


def _shared(table: Array) -> Array:
    rows = np.asarray(table, np.float64).reshape(len(table), -1)
    return rows[:, ~np.isnan(rows).any(0)]
