"""A map's values as a smooth field: what lies between units is the mean of those around, nearer ones counting more."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def field(positions: Array, values: Array, size: int = 100) -> Array:
    """(..., row, column) over the unit square of values (..., unit); NaN where no unit is near."""
    along = (np.arange(size) + 0.5) / size
    return sampled(positions, values, along, along)


def sampled(positions: Array, values: Array, x: Array, y: Array, reach: float = 0.5) -> Array:
    """The field at these columns and rows. `reach`: the width of a unit's influence, in the usual spacing of units."""
    wide = reach * spacing(positions)
    near_x, near_y = (
        np.exp(-0.5 * ((along[:, None] - positions[:, axis]) / wide) ** 2) for axis, along in ((0, x), (1, y))
    )
    weight = near_y @ near_x.T
    found = ((near_y * np.asarray(values, float)[..., None, :]) @ near_x.T) / np.maximum(weight, 1e-12)
    return np.where(weight > _edge(reach), found, np.nan)


def _edge(reach: float) -> float:
    """The influence of one unit at half a cell's diagonal and a little."""
    return float(np.exp(-0.5 * (0.75 / reach) ** 2))


def spacing(positions: Array) -> float:
    """How far apart units would be if they filled their outline evenly."""
    count = len(positions)
    if count < 2:
        return 1.0
    corners = hull(positions)
    around = float(np.sqrt(((np.roll(corners, -1, 0) - corners) ** 2).sum(1)).sum())
    # cells reach half a spacing beyond the outline of their middles: count s² = area + around s / 2 + s²
    a, b = count - 1, around / 2
    found = (b + np.sqrt(b * b + 4 * a * area(corners))) / (2 * a)
    return float(found) if found > 1e-12 else 1.0


def area(corners: Array) -> float:
    """Of a polygon, whose corners come in turn."""
    following = np.roll(corners, -1, 0)
    return 0.5 * abs(float((corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum()))


def hull(positions: Array) -> Array:
    """The corners of the smallest convex outline, in turn (Andrew's monotone chain)."""
    points = np.unique(positions, axis=0)
    if len(points) < 3:
        return points
    sides = [_chain(order) for order in (points, points[::-1])]
    return np.array([corner for side in sides for corner in side[:-1]])


def _chain(points: Array) -> list[Array]:
    found: list[Array] = []
    for point in points:
        while len(found) > 1 and _turn(found[-2], found[-1], point) <= 1e-15:
            found.pop()
        found.append(point)
    return found


def _turn(a: Array, b: Array, c: Array) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def within(corners: Array, points: Array) -> NDArray[np.bool_]:
    """Which points lie inside a polygon, by how often a ray to the right crosses its sides."""
    inside = np.zeros(len(points), bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, 0), strict=True):
        between = (ay > points[:, 1]) != (by > points[:, 1])
        rise = np.where(by == ay, 1.0, by - ay)
        inside ^= between & (points[:, 0] < (bx - ax) * (points[:, 1] - ay) / rise + ax)
    return inside
