"""A panel: values to a picture's coordinates, and the ticks and words around it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED


@dataclass(frozen=True)
class Panel:
    """A box in the picture, and the values along its sides; y values grow upwards."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float] = (0.0, 1.0)

    def at(self, x: Any, y: Any) -> NDArray[np.float64]:
        """(point, x and y) of these values."""
        right = (np.asarray(x, float) - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0)
        up = (np.asarray(y, float) - self.y[0]) / ((self.y[1] - self.y[0]) or 1.0)
        return np.stack(np.broadcast_arrays(self.left + self.width * right, self.top + self.height * (1 - up)), -1)

    def title(self, words: str, beneath: str = "") -> list[Mark]:
        marks: list[Mark] = [Text(self.left, self.top - (56 if beneath else 30), words, 20, bold=True, colour=INK)]
        return [*marks, Text(self.left, self.top - 30, beneath, 16, colour=MUTED)] if beneath else marks

    def x_ticks(self, places: Sequence[tuple[float, int]], name: str = "epoch") -> list[Mark]:
        """Values along x and the epochs that stand there, below the panel."""
        bottom = self.top + self.height
        marks: list[Mark] = []
        for value, epoch in places:
            x = float(self.at(value, self.y[0])[0])
            marks.append(Lines(np.array([[x, bottom + 4], [x, bottom + 11]]), MUTED, 1.2))
            marks.append(Text(x, bottom + 25, f"{epoch}", 16, "center", colour=MUTED))
        return [*marks, Text(self.left + self.width / 2, bottom + 50, name, 16, "center", colour=MUTED)]

    def y_ticks(self, steps: Sequence[float], words: Sequence[str]) -> list[Mark]:
        """Pale lines across, each with its value at the left."""
        marks: list[Mark] = []
        for step, word in zip(steps, words, strict=True):
            y = float(self.at(self.x[0], step)[1])
            marks.append(Lines(np.array([[self.left, y], [self.left + self.width, y]]), FAINT, 1.0))
            marks.append(Text(self.left - 10, y, word, 16, "right", colour=MUTED))
        return marks


def chosen(epochs: Sequence[int], most: int) -> list[int]:
    """The first, the last, and evenly spaced ones between; all if there are few."""
    if len(epochs) <= most:
        return list(epochs)
    places = np.unique(np.linspace(0, len(epochs) - 1, most).round().astype(int))
    return [epochs[i] for i in places]


def round_epochs(epochs: Sequence[int], most: int) -> list[int]:
    """The first, the last and round ones between them, none so close to another that their numbers would touch."""
    span = epochs[-1] - epochs[0]
    step = next(k * 10**p for p in range(12) for k in (1, 2, 5) if span <= (most - 1) * k * 10**p)
    between = [e for e in epochs if e % step == 0 and min(e - epochs[0], epochs[-1] - e) >= 0.7 * step]
    return sorted({epochs[0], *between, epochs[-1]})


def steps(low: float, high: float, most: int = 5) -> list[float]:
    """Round values from low to at least high."""
    span = (high - low) or 1.0
    rough = span / most
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1, 2, 2.5, 5, 10) if size * k >= rough * 0.999)
    first = math.floor(low / step + 1e-9)
    return [round((first + i) * step, 12) for i in range(math.ceil((high - first * step) / step - 1e-9) + 1)]


def span(epochs: Any) -> tuple[float, float]:
    """From the first epoch to the last; a single one stands at the end, beside its name."""
    first, last = float(epochs[0]), float(epochs[-1])
    return (first if last > first else last - 1, last)


def apart(ends: dict[str, float], least: float, floor: float) -> dict[str, float]:
    """Heights for names, near their lines' ends, not on top of each other and not below the floor."""
    names = sorted(ends, key=lambda who: ends[who])
    if len(names) == 2 and ends[names[1]] - ends[names[0]] < least:
        middle = min((ends[names[0]] + ends[names[1]]) / 2, floor - least / 2)
        return {names[0]: middle - least / 2, names[1]: middle + least / 2}
    return ends
