"""One map of one group, and the scale it is read by."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import fields
from nissl.core.map import Map
from nissl.core.marks import Cells, Dots, Lines, Mark, Text
from nissl.core.palette import FAINT, MUTED, hexadecimal, ramp
from nissl.views._staining.lettering import number

Array = NDArray[Any]
FEWEST, MOST, SHADES = 36, 96, 65
"""Samples on a side of a field, by how many units there are, and how many colours units that have no cells may have."""


@dataclass(frozen=True)
class Scale:
    """What the deepest colour stands for."""

    limit: float
    signed: bool
    clipped: bool

    @classmethod
    def of(cls, values: Array) -> "Scale":
        """So deep that one value in a hundred is beyond."""
        size = np.abs(values[np.isfinite(values)])
        limit = float(np.quantile(size, 0.99)) if len(size) else 0.0
        limit = limit if limit > 0 else float(size.max(initial=0)) or 1.0
        return cls(limit, bool((np.nan_to_num(values) < 0).any()), bool((size > limit).any()))

    @property
    def ramp(self) -> str:
        return "change" if self.signed else "ink"

    def shares(self, values: Array) -> Array:
        """Places on the ramp; paper where there is no value."""
        share = np.clip(np.nan_to_num(values) / self.limit, -1, 1)
        found: Array = 0.5 + share / 2 if self.signed else np.maximum(share, 0)
        return found


@dataclass(frozen=True)
class Panel:
    """Where a map goes, and how it is shown."""

    x: float
    y: float
    width: float
    style: str
    scale: Scale

    def beside(self, step: float) -> "Panel":
        """The same, further to the right."""
        return replace(self, x=self.x + step)

    def frame(self, one: Map) -> tuple[Array, Array]:
        """The upper left corner and the extent of what is shown, in the unit square: cells whole, and fields to where they end."""
        half = one.side * (0.5 if rectangular(one) or self.style == "units" else 0.85 if one.shape else 1.2)
        low, high = one.positions.min(0) - half, one.positions.max(0) + half
        wide = high[0] - low[0]
        if high[1] - low[1] > wide:  # nothing is drawn higher than wide
            middle = (low[0] + high[0]) / 2
            low[0], high[0] = middle - (high[1] - low[1]) / 2, middle + (high[1] - low[1]) / 2
        return low, high - low

    def height(self, one: Map) -> float:
        """How high the map is when it is as wide as the panel."""
        _, size = self.frame(one)
        return float(self.width * size[1] / size[0])


def panel(one: Map, values: Array, room: Panel, outline: Lines | None) -> list[Mark]:
    """A frame, the map in it, and an outline in the map's own coordinates."""
    low, size = room.frame(one)
    scale = room.width / size[0]
    marks: list[Mark] = [_shown(one, values, room, low, size)]
    if rectangular(one):
        least, wide = _extent(one)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * wide + least
        marks.append(Lines((corners - low) * scale + [room.x, room.y], FAINT, 1.0))
    if outline is not None:
        kept = np.clip(outline.points, low, low + size)
        marks.append(replace(outline, points=(kept - low) * scale + [room.x, room.y]))
    return marks


def rectangular(one: Map) -> bool:
    """Is it a grid, whose outline is a frame?"""
    return one.shape == "grid"


def _shown(one: Map, values: Array, room: Panel, low: Array, size: Array) -> Cells | Dots:
    if room.style == "units":
        return (_tiled if one.shape in ("grid", "disc") else _dots)(one, values, room, low, size)
    within = _extent(one) if rectangular(one) else (low, size)
    count = int(np.clip(2.5 / one.spacing, FEWEST, MOST))
    rows = max(1, round(count * within[1][1] / within[1][0]))
    x, y = (
        (np.arange(n) + 0.5) / n * extent + start
        for n, extent, start in zip((count, rows), within[1], within[0], strict=True)
    )
    table = fields.sampled(one.positions, values, x, y)
    if rectangular(one):
        table = np.where(_occupied(one, x, y), table, np.nan)
    scale = room.width / size[0]
    left, top = (within[0] - low) * scale + [room.x, room.y]
    wide, high = within[1] * scale
    return Cells(float(left), float(top), float(wide), float(high), room.scale.shares(table), room.scale.ramp, True)


def _extent(one: Map) -> tuple[Array, Array]:
    """The upper left corner of a map's cells and how far they reach."""
    return one.positions.min(0) - one.side / 2, np.ptp(one.positions, 0) + one.side


def _tiled(one: Map, values: Array, room: Panel, low: Array, size: Array) -> Cells:
    """Cell by cell."""
    cells = one.cells
    table = np.full(tuple(cells.max(0) + 1), np.nan)
    table[cells[:, 0], cells[:, 1]] = values
    scale = room.width / size[0]
    least, extent = _extent(one)
    x, y = (least - low) * scale + [room.x, room.y]
    wide, high = extent * scale
    return Cells(float(x), float(y), float(wide), float(high), room.scale.shares(table), room.scale.ramp)


def _occupied(one: Map, x: Array, y: Array) -> NDArray[np.bool_]:
    """Which samples lie in a unit's cell: the last row may be short."""
    cells, least = one.cells, one.positions.min(0)
    taken = np.zeros(tuple(cells.max(0) + 1), bool)
    taken[cells[:, 0], cells[:, 1]] = True
    row, column = (
        np.clip(np.rint((along - start) / one.side).astype(int), 0, count - 1)
        for along, start, count in zip((y, x), least[::-1], taken.shape, strict=True)
    )
    return taken[np.ix_(row, column)]


def _dots(one: Map, values: Array, room: Panel, low: Array, size: Array) -> Dots:
    """Each unit as a dot, those of most weight on top."""
    scale = room.width / size[0]
    order = np.abs(np.nan_to_num(values)).argsort(kind="stable")
    dye = np.rint(room.scale.shares(values)[order] * (SHADES - 1)).astype(int)
    shades = tuple(hexadecimal(light) for light in ramp(room.scale.ramp, np.linspace(0, 1, SHADES)))
    points = (one.positions[order] - low) * scale + [room.x, room.y]
    return Dots(points, dye, np.full(len(dye), -1), shades, 0.84 * one.spacing * scale)


def key(scale: Scale, x: float, y: float, high: float) -> list[Mark]:
    """The scale, upright, with its ends."""
    steps = np.linspace(1, 0, 41)[:, None]
    over = "≥ " if scale.clipped else ""
    below = "≤ −" if scale.clipped else "−"
    ends = [
        (y + 9, f"{over}{number(scale.limit)}"),
        (y + high - 9, f"{below}{number(scale.limit)}" if scale.signed else "0"),
    ]
    if scale.signed:
        ends.append((y + high / 2, "0"))
    box = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * [16, high] + [x, y]
    return [
        Cells(x, y, 16, high, steps, scale.ramp), Lines(box, FAINT, 1.0),
        *(Text(x + 24, at, words, 16, colour=MUTED) for at, words in ends),
    ]  # fmt: skip
