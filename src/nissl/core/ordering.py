"""How good a map is: its order, its evenness, and the paper's smoothness, each beside what chance gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import fields
from nissl.core.neighbours import Rows, anchors, nearest, ranked, trust

Array = NDArray[Any]
K = 8
SHUFFLES = 20
THIN = 0.02
"""An outline that fills less of its box is a line."""
LOOKED_AT = 4_000_000
"""Pairs of units; of more, fewer units are asked."""
SIZE = 98
"""Pixels on a side of the picture that is shrunk and blurred: two thirds of the paper's 147, and so are the levels."""
SHRUNK = tuple(round(side * 2 / 3) for side in range(55, 9, -5))
BLURRED = tuple(radius * 2 / 3 for radius in range(2, 21, 2))


@dataclass(frozen=True)
class Measure:
    """One measure of a map, and what it is by chance."""

    value: float
    chance: float
    """Its mean over maps in which the same units lie in any order (of evenness: units anywhere in the same outline)."""
    spread: float
    better: str
    """higher or lower"""

    @property
    def z(self) -> float:
        """By how many of chance's standard deviations it is better than chance; negative: worse."""
        away = self.value - self.chance if self.better == "higher" else self.chance - self.value
        return float(away / self.spread) if self.spread > 0 else 0.0 if away == 0 else float(np.copysign(np.inf, away))


class Quality(dict[str, Measure]):
    """Measures by name: order (trustworthiness, kept, moran), evenness (spacing, covered), smoothness (resize, blur)."""

    def to_dataframe(self) -> Any:
        """A row a measure: value, chance, spread, z, better."""
        import pandas as pd

        rows = {n: (m.value, m.chance, m.spread, m.z, m.better) for n, m in self.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "chance", "spread", "z", "better"])

    def __repr__(self) -> str:
        lines = [f"{'':16}{'value':>10}{'chance':>10}{'z':>8}  better"]
        lines += [f"{n:16}{m.value:10.4g}{m.chance:10.4g}{m.z:8.1f}  {m.better}" for n, m in self.items()]
        return "\n".join(lines)


def neighbourhood(count: int) -> int:
    """How many neighbours of a unit are looked at: eight, and of few units fewer, for eight would be nearly all."""
    return min(K, max(1, (count - 1) // 3))


def order(positions: Array, features: Array, values: Array, seed: int = 0) -> dict[str, Measure]:
    """Is who is near on the map alike, and do groups' maps hang together?"""
    count = len(positions)
    if count < 3:
        return {}
    rows = anchors(count, max(200, LOOKED_AT // count), seed)
    near = nearest(positions, neighbourhood(count), rows)
    orders = np.stack(list(_orders(count, rows, seed)))
    ranks, kept = ranked(features, rows, _neighbours(orders, rows, near))
    trusted = np.array([trust(one, count) for one in ranks])
    found = {"trustworthiness": _measure(trusted, "higher"), "kept": _measure(kept, "higher")}
    if len(values):
        alike = np.array([moran(values[:, one], rows, near) for one in orders])
        if np.isfinite(alike).all():
            found["moran"] = _measure(alike, "higher")
    return found


def _orders(count: int, rows: Rows, seed: int) -> Iterator[Rows]:
    """The unit at each place: as it is, then shuffled; units that are asked change places among themselves, so that it is they still."""
    yield np.arange(count)
    rng = np.random.default_rng(seed)
    others = np.setdiff1d(np.arange(count), rows)
    for _ in range(SHUFFLES):
        unit = np.empty(count, np.intp)
        unit[rows], unit[others] = rng.permutation(rows), rng.permutation(others)
        yield unit


def _neighbours(orders: Array, rows: Rows, near: Rows) -> Array:
    """(order, row, neighbour): whom each asked unit has around it."""
    found = np.empty((len(orders), *near.shape), np.intp)
    for place, unit in enumerate(orders):
        found[place][np.searchsorted(rows, unit[rows])] = unit[near]
    return found


def moran(values: Array, rows: Rows, near: Rows) -> float:
    """Moran's I of values (group, place), each place beside its nearest; the mean over groups that have any differences."""
    away = values - values.mean(1, keepdims=True)
    square = (away**2).mean(1)
    some = square > 1e-12 * max(float((values**2).mean()), 1e-300)
    if not some.any():
        return float("nan")
    away = away[some]
    return float(((away[:, rows] * away[:, near].mean(-1)).mean(1) / square[some]).mean())


def evenness(positions: Array, seed: int = 0) -> dict[str, Measure]:
    """How alike the distances to the nearest unit are, and how much of the outline lies near a unit."""
    if len(positions) < 3 or not np.ptp(positions, 0).any():
        return {}
    most = max(200, LOOKED_AT // len(positions))
    outline, step = fields.hull(positions), fields.spacing(positions)
    rng = np.random.default_rng(seed)
    clouds = [positions, *(_anywhere(outline, len(positions), rng) for _ in range(SHUFFLES // 2))]
    spaced = [_varied(cloud, anchors(len(cloud), most, seed)) for cloud in clouds]
    covered = [_covered(cloud, outline, step) for cloud in clouds]
    return {"spacing": _measure(np.array(spaced), "lower"), "covered": _measure(np.array(covered), "higher")}


def _anywhere(outline: Array, count: int, rng: np.random.Generator) -> Array:
    """Places drawn by lot inside an outline; along it, where it has next to no inside."""
    low, high = outline.min(0), outline.max(0)
    if len(outline) < 3 or fields.area(outline) < THIN * float(np.prod(high - low)):
        along = outline[:, int((high - low).argmax())]
        start, end = outline[along.argmin()], outline[along.argmax()]
        return start + rng.random((count, 1)) * (end - start)
    found = np.empty((0, 2))
    while len(found) < count:
        drawn = low + rng.random((4 * count, 2)) * (high - low)
        found = np.concatenate([found, drawn[fields.within(outline, drawn)]])
    return found[:count]


def _varied(points: Array, rows: Rows) -> float:
    """The coefficient of variation of distances to the nearest point."""
    apart = np.sqrt(((points[rows] - points[nearest(points, 1, rows)[:, 0]]) ** 2).sum(1))
    return float(apart.std() / apart.mean()) if apart.mean() > 0 else float("inf")


def _covered(points: Array, outline: Array, step: float, fine: int = 4) -> float:
    """The share of the outline that is within half a cell's diagonal of a point, on a raster finer than cells."""
    if len(outline) < 3:
        return 1.0
    low = outline.min(0)
    side = max(step / fine, float(np.ptp(outline, 0).max()) / 400)
    wide, high = (int(np.ceil(extent / side)) + 1 for extent in np.ptp(outline, 0))
    reached = np.zeros((high, wide), bool)
    reach = step * (np.sqrt(0.5) + 0.01)
    steps = np.arange(-int(reach / side) - 1, int(reach / side) + 2)
    column, row = np.floor((points - low) / side).astype(int).T
    for dy in steps:
        for dx in steps:
            r, c = row + dy, column + dx
            inside = (r >= 0) & (r < high) & (c >= 0) & (c < wide)
            centre = low + (np.stack([c, r], 1) + 0.5) * side
            inside &= ((centre - points) ** 2).sum(1) <= reach**2
            reached[r[inside], c[inside]] = True
    rows, columns = np.mgrid[:high, :wide]
    there = fields.within(outline, low + (np.stack([columns.ravel(), rows.ravel()], 1) + 0.5) * side)
    return float(reached.ravel()[there].mean()) if there.any() else 1.0


def smoothness(positions: Array, values: Array, seed: int = 0, groups: int = 10) -> dict[str, Measure]:
    """The paper's: how much the groups' pictures change when shrunk and when blurred; areas under the curve, by colour values to 255.

    A weak measure by itself: spreading units evenly makes any map smoother.
    """
    if len(positions) < 3 or not len(values):
        return {}
    values = values[:groups] / max(float(np.abs(values).max()), 1e-300)
    rng = np.random.default_rng(seed)
    orders = [np.arange(len(positions)), *(rng.permutation(len(positions)) for _ in range(SHUFFLES // 4))]
    pictures = [_picture(np.nan_to_num(fields.field(positions, values[:, one], SIZE))) for one in orders]
    shrink = [_shrunk(side) for side in SHRUNK]
    blur = [_blurred(radius) for radius in BLURRED]
    return {
        name: _measure(np.array([_lost(p, by) for p in pictures]), "lower")
        for name, by in (("resize", shrink), ("blur", blur))
    }


def _picture(fields: Array) -> Array:
    """(group, colour, row, column) of values from -1 to 1, from blue over white to red."""
    red, blue = np.minimum(1 + fields, 1), np.minimum(1 - fields, 1)
    return np.stack([red, 1 - np.abs(fields), blue], 1).astype(np.float32) * 255


def _lost(picture: Array, levels: list[Array]) -> float:
    errors = [float(((picture - by @ picture @ by.T) ** 2).mean()) for by in levels]
    return float(np.trapezoid(errors))


def _shrunk(side: int) -> Array:
    """Shrinking to so many pixels, each a mean of those it covers, and back in straight lines."""
    edges = np.linspace(0, SIZE, side + 1)
    pixel = np.arange(SIZE)
    cover = np.clip(np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel), 0, None)
    down = cover / cover.sum(1, keepdims=True)
    at = np.clip((pixel + 0.5) * side / SIZE - 0.5, 0, side - 1)
    back = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(side)))
    return np.asarray(back @ down, np.float32)


def _blurred(radius: float) -> Array:
    pixel = np.arange(SIZE)
    near = np.exp(-0.5 * ((pixel[:, None] - pixel) / radius) ** 2)
    return np.asarray(near / near.sum(1, keepdims=True), np.float32)


def _measure(values: Array, better: str) -> Measure:
    """The first value is the map's, the others are chance's."""
    return Measure(float(values[0]), float(values[1:].mean()), float(values[1:].std()), better)
