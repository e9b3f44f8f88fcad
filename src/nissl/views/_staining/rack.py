"""Slides in a rack: a layer's cells on an oblique grid, ribbons between slides, ports at the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.core.marks import Lines, Mark, Ribbons, Text, Tiles
from nissl.core.palette import FAINT, INK, MUTED
from nissl.views._staining.lettering import fitted, plural, width
from nissl.views._staining.paths import PORTS, Bundle
from nissl.views._staining.responses import Floats, Stain

MOST_CELLS = 10_000
"""Cells on a slide; beyond them each stands for several units that prefer the same class."""
LARGEST = 46.0
"""The side of a cell in layers of few units."""


@dataclass(frozen=True, eq=False)
class Slide:
    """One layer in the rack."""

    tiles: Tiles
    cell: NDArray[np.int64]
    """The cell that shows each unit."""

    def edge(self, units: Any, side: float) -> Floats:
        """The middle of the left (-0.5) or right (0.5) edge of these units' cells: ribbons leave the cells in sight."""
        return self.tiles.centres(self.cell[units]) + side * np.asarray(self.tiles.across)


@dataclass(frozen=True)
class Frame:
    """The room that a slide may take."""

    left: float
    top: float
    width: float
    height: float


def groups(order: NDArray[np.int64], most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of at most `most` cells shows each unit, and the first unit of each cell."""
    each = -(-len(order) // most)
    cell = np.empty(len(order), np.int64)
    cell[order] = np.arange(len(order)) // each
    return cell, order[::each]


def averaged(values: Floats, cell: NDArray[np.int64]) -> Floats:
    """The mean over the units of each cell, along the first axis."""
    sums = np.zeros((cell.max(initial=-1) + 1, *values.shape[1:]))
    np.add.at(sums, cell, values)
    count = np.bincount(cell).astype(float)
    return np.asarray(sums / count.reshape(-1, *(1,) * (values.ndim - 1)))


def slide(name: str, stain: Stain, order: NDArray[np.int64], dyes: tuple[str, ...], frame: Frame) -> Slide:
    """Units in this order, row by row, as large as the frame allows."""
    cell, first = groups(order, MOST_CELLS)
    count = len(first)
    columns = 1 if count <= 12 else max(2, round(float(np.sqrt(count * frame.width / (1.25 * frame.height)))))
    rows = -(-count // columns)
    lean = 0.34 if columns > 1 else 0.0
    flat = 0.94 if lean else 1.0
    side = min(frame.width / (columns * flat), frame.height / (rows + lean * columns), LARGEST)
    left = frame.left + (frame.width - side * columns * flat) / 2
    top = frame.top + (frame.height - side * (rows + lean * columns)) / 2 + side * lean * columns
    places = np.arange(count)
    tiles = Tiles(
        name, (left, top), (side * flat, -side * lean), (0.0, side), places // columns, places % columns, first,
        np.bincount(cell), averaged(stain.grey, cell), averaged(stain.depth, cell), dyes,
        averaged(stain.silent.astype(float), cell) == 1, 0.1 if side >= 5 else 0.0,
    )  # fmt: skip
    return Slide(tiles, cell)


def heading(place: Layer, units: int, centre: float, room: float, top: float, by: str = "") -> list[Mark]:
    """A layer's name, what it is and how many units it has, above its slide; `by`: what dyes it, if not what dyes the others."""
    kind = place.kind if place.kind != "other" else "layer"
    what = f"{kind} + {place.nonlinearity}" if place.nonlinearity else kind
    size = 20 if width(place.name, 20, bold=True) <= room else 17
    lines = (
        fitted(Text(centre, top, place.name, size, "center", True, INK), room, keep_end=True),
        fitted(Text(centre, top + 25, what, 16, "center", False, MUTED), room),
        fitted(
            Text(centre, top + 47, f"{plural(units, place.unit)}{f', {by}' if by else ''}", 16, "center", False, MUTED),
            room,
        ),
    )
    return list(lines)


def glass(tiles: Tiles) -> Mark:
    """The outline of a slide."""
    rows, columns = int(tiles.row.max()) + 1, int(tiles.column.max()) + 1
    corners = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows), (0, 0)], float)
    pad = 3.0
    steps = np.array([tiles.across, tiles.down])
    centre = corners[:4].mean(0) @ steps
    edge = corners @ steps
    edge = edge + pad * np.sign(edge - centre)
    return Lines(edge + np.asarray(tiles.origin), FAINT, 1.2)


def ribbons(
    bundles: Sequence[Bundle],
    slides: dict[str, Slide],
    ports: dict[int, tuple[float, float, float]],
    dye_of: Callable[[Bundle], Any],
    dyes: tuple[str, ...],
    *,
    blend: Literal["multiply", "over"],
) -> Ribbons | None:
    """All bundles, the weak ones first; those that end at a port are spread over its height (x, y, height).

    `dye_of` gives the number of the dye of a bundle, or of each of its paths.
    """
    drawn = [bundle for bundle in bundles if len(bundle.start) and (bundle.target != PORTS or ports)]
    if not drawn:
        return None
    start = np.concatenate([slides[b.source].edge(b.start, 0.5) for b in drawn])
    ends = []
    for bundle in drawn:
        if bundle.target == PORTS:
            x, y, height = ports[bundle.class_number]
            came = slides[bundle.source].edge(bundle.start, 0.5)[:, 1]
            rank = np.argsort(np.argsort(came, kind="stable"), kind="stable")
            spread = (rank + 0.5) / len(rank) - 0.5
            ends.append(np.stack([np.full(len(rank), x), y + height * spread], -1))
        else:
            ends.append(slides[bundle.target].edge(bundle.end, -0.5))
    strength = np.concatenate([b.strength for b in drawn])
    root = np.sqrt(strength)
    inhibits = np.concatenate([b.inhibits for b in drawn])
    dye = np.concatenate([np.broadcast_to(dye_of(b), b.start.shape) for b in drawn])
    crowd = np.concatenate([np.full(len(b.start), float(len(b.start))) for b in drawn]) * len(strength)
    dense = np.clip(0.24 * (135_000 / crowd) ** 0.25, 0.2, 0.6)  # few ribbons may be strong, many must not be mud
    alpha = strength**0.65 * dense * np.where(inhibits, 0.55, 1.0)
    weak_first = np.argsort(strength, kind="stable")
    parts = (start, np.concatenate(ends), 0.8 + 2.8 * root, alpha, inhibits, dye)
    first, last, wide, opaque, dashed, number = (part[weak_first] for part in parts)
    return Ribbons(first, last, wide, opaque, dashed, number, dyes, blend)
