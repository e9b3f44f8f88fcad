"""Pictures looked at from a little elsewhere: linear maps, each with its transpose, so that slopes find the way back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Warp:
    """Each pixel of a picture as a weighed mean of four of another."""

    places: Array
    """(picture, 4, pixel): numbers of pixels."""
    weights: Array
    """(picture, 4, pixel): they add up to 1."""

    def __call__(self, planes: Array) -> Array:
        """(picture, channel, row, column), as it is then seen."""
        flat = planes.reshape(*planes.shape[:2], -1)
        found = sum(np.take_along_axis(flat, self.places[:, None, k], 2) * self.weights[:, None, k] for k in range(4))
        return np.asarray(found).reshape(planes.shape)

    def back(self, slopes: Array) -> Array:
        """The transpose."""
        count, channels = slopes.shape[:2]
        flat = slopes.reshape(count, channels, 1, -1)
        pixels = flat.shape[-1]
        start = pixels * np.arange(count * channels).reshape(count, channels, 1, 1)
        where, given = start + self.places[:, None], flat * self.weights[:, None]
        total = np.bincount(where.ravel(), given.ravel(), count * channels * pixels)
        return total.reshape(slopes.shape)


@dataclass(frozen=True)
class Distortion:
    """How far pictures are shifted (pixels), turned (degrees) and scaled (share), at most."""

    shift: float
    turn: float
    zoom: float

    def drawn(self, count: int, sides: tuple[int, int], draw: np.random.Generator) -> Warp:
        """One for each picture; beyond its edge a picture goes on as it ends."""
        rows, columns = sides
        angle = np.deg2rad(self.turn) * draw.uniform(-1, 1, count)
        scale = (1 + self.zoom) ** draw.uniform(-1, 1, count)
        shift = self.shift * draw.uniform(-1, 1, (2, count))
        y, x = (np.arange(side) - (side - 1) / 2 for side in sides)
        down, along = np.meshgrid(y, x, indexing="ij")
        cos, sin = (f(angle)[:, None] * scale[:, None] for f in (np.cos, np.sin))
        row = cos * down.ravel() - sin * along.ravel() + shift[0][:, None] + (rows - 1) / 2
        column = sin * down.ravel() + cos * along.ravel() + shift[1][:, None] + (columns - 1) / 2
        return between(np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1), columns)


def between(row: Array, column: Array, columns: int) -> Warp:
    """The pixels around these places, (picture, pixel), weighed by how near they are."""
    top, left = np.floor(row).astype(int), np.floor(column).astype(int)
    under, beside = row - top, column - left
    bottom, right = top + (under > 0), left + (beside > 0)
    places = [top * columns + left, top * columns + right, bottom * columns + left, bottom * columns + right]
    weights = [(1 - under) * (1 - beside), (1 - under) * beside, under * (1 - beside), under * beside]
    return Warp(np.stack(places, 1), np.stack(weights, 1))


def blurring(side: int, sigma: float) -> Array:
    """(side, side): a row or column made of its neighbours by a Gaussian, edges by what there is."""
    away = np.subtract.outer(np.arange(side), np.arange(side))
    found = np.exp(-0.5 * (away / max(sigma, 1e-6)) ** 2)
    return np.asarray(found / found.sum(1, keepdims=True))


def blurred(planes: Array, sigma: float) -> Array:
    """(picture, channel, row, column), smoothed."""
    rows, columns = (blurring(side, sigma) for side in planes.shape[2:])
    return np.asarray(rows @ planes @ columns.T)
