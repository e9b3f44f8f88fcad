"""A square of a picture that shows a frame: places in the layout to places in the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Dots, Lines, Mark, Tiles
from nissl.core.palette import FAINT, MUTED, rgb
from nissl.core.regions import Regions

Array = NDArray[Any]
TINT = 0.13
"""How much light a region takes where it is to be trusted, whatever its dye."""
BELIEVED = 0.35
"""Below this trust a region is hatched."""
HATCH = 5
"""Cells between two lines of the hatching."""


@dataclass(frozen=True)
class Field:
    """y of the layout grows upwards."""

    left: float
    top: float
    side: float
    centre: tuple[float, float]
    half: float
    """Half the side in the layout's own units."""

    @classmethod
    def over(cls, left: float, top: float, side: float, frames: Sequence[Array]) -> "Field":
        """One that holds the points of all frames and a little more."""
        every = np.concatenate(list(frames))
        low, high = every.min(0), every.max(0)
        half = float(max((high - low).max() / 2 * 1.06, 1e-6))
        x, y = (low + high) / 2
        return cls(left, top, side, (float(x), float(y)), half)

    def at(self, positions: Array) -> Array:
        """(point, x and y) in the picture."""
        share = (positions - np.array(self.centre)) / (2 * self.half)
        return np.stack([self.left + self.side * (0.5 + share[:, 0]), self.top + self.side * (0.5 - share[:, 1])], 1)

    @property
    def box(self) -> tuple[Array, float]:
        """The lower left corner and the side, in the layout's own units."""
        return np.array(self.centre) - self.half, 2 * self.half

    def frame(self) -> list[Mark]:
        """A hairline around it."""
        x, y, s = self.left, self.top, self.side
        return [Lines(np.array([[x, y], [x + s, y], [x + s, y + s], [x, y + s], [x, y]], float), FAINT, 1.2)]

    def points(self, positions: Array, dye: Array, ring: Array, dyes: tuple[str, ...]) -> Dots:
        """The fewer there are, the larger."""
        share = self.side / 1000
        size = float(np.clip(230 / np.sqrt(max(len(positions), 1)), 3.4, 13)) * max(share, 0.55)
        return Dots(self.at(positions), dye, ring, dyes, size, 0.9 if len(positions) < 2000 else 0.75)

    def ground(self, found: Regions, dyes: tuple[str, ...]) -> list[Mark]:
        """Regions stained, their borders drawn, hatched where they are not to be trusted; what lies outside is left out."""
        rows, columns = found.predicted.shape
        step = self.side * found.cell / (2 * self.half)
        corner = self.at(found.low[None])[0]
        y, x = np.mgrid[0:rows, 0:columns]
        left, low = corner[0] + step * x, corner[1] - step * (y + 1)
        inside = (
            (left >= self.left) & (left + step <= self.left + self.side) & (low >= self.top) & (low + step <= self.top + self.side)
        )  # fmt: skip
        if not inside.any():
            return []
        marks: list[Mark] = [*self._stained(found, inside, step, corner, dyes)]
        believed = inside & (found.trust >= BELIEVED)
        hatched = inside & ~believed & ((x + y) % HATCH == 0)
        ends = np.stack([left, low + step, left + step, low], -1)[hatched].reshape(-1, 2, 2)
        marks += _lines(ends, FAINT, 0.9)
        return marks + self._borders(found, believed, step, corner)

    def _stained(
        self, found: Regions, inside: Array, step: float, corner: Array, dyes: tuple[str, ...]
    ) -> Iterator[Tiles]:
        """The cells of each class, in its dye."""
        rows, deep = len(found.predicted), tints(dyes)
        for predicted in np.unique(found.predicted[inside]):
            y, x = np.nonzero(inside & (found.predicted == predicted))
            down, dye = rows - 1 - y, int(predicted) % len(dyes)
            top, left = int(down.min()), int(x.min())
            depth = deep[dye] * np.clip(found.trust[y, x] * 1.4, 0.1, 1)
            origin = (float(corner[0] + step * left), float(corner[1] + step * (top - rows)))
            number, none = np.arange(len(x)), np.zeros(len(x))
            yield Tiles(
                "", origin, (step, 0.0), (0.0, step), down - top, x - left, number, np.ones(len(x), int), none, depth[:, None],
                (dyes[dye],), none.astype(bool),
            )  # fmt: skip

    def _borders(self, found: Regions, believed: Array, step: float, corner: Array) -> list[Mark]:
        across = (found.predicted[:, 1:] != found.predicted[:, :-1]) & believed[:, 1:] & believed[:, :-1]
        along = (found.predicted[1:] != found.predicted[:-1]) & believed[1:] & believed[:-1]
        y, x = np.nonzero(across)
        right, low = corner[0] + step * (x + 1), corner[1] - step * y
        upright = np.stack([right, low, right, low - step], -1)
        y, x = np.nonzero(along)
        left, high = corner[0] + step * x, corner[1] - step * (y + 1)
        level = np.stack([left, high, left + step, high], -1)
        return _lines(np.concatenate([upright, level]).reshape(-1, 2, 2), MUTED, 0.9)


def tints(dyes: Sequence[str]) -> Array:
    """How deep each dye must lie for all to take as much light."""
    taken = np.array([-np.log(np.maximum(rgb(dye), 0.02)).mean() for dye in dyes])
    return TINT / np.maximum(taken, 0.1)


def _lines(ends: Array, colour: str, width: float) -> list[Mark]:
    """Many short lines as one mark."""
    if not len(ends):
        return []
    broken = np.full((len(ends), 3, 2), np.nan)
    broken[:, :2] = ends
    return [Lines(broken.reshape(-1, 2), colour, width)]
