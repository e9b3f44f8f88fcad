"""What a picture is made of: eight kinds of marks, plain values and arrays in the picture's own coordinates.

x runs right and y down; a picture says how wide and high it is, and one unit is a pixel where it is drawn that wide.
Colours are #rrggbb. A mark that comes later in the list lies on top of those before it; words
lie above everything.
"""

from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Tiles:
    """A slide of stained cells on a grid that may lie oblique: grey counterstain, dyes on top of it."""

    name: str
    """The layer whose units these are."""
    origin: Point
    """The upper left corner of the cell at row 0, column 0."""
    across: Point
    """The step from one column to the next."""
    down: Point
    """The step from one row to the next."""
    row: Array
    column: Array
    unit: Array
    """The unit that each cell shows; the first of them where it stands for several."""
    units: Array
    """How many units each cell stands for."""
    grey: Array
    """Depth of the counterstain, cell by cell."""
    depth: Array
    """Depth of each dye, (cell, dye)."""
    dyes: tuple[str, ...]
    silent: Array
    """Cells that never answered: they stay blank and get a dot."""
    gap: float = 0.0
    """The share of a cell's side that is left free."""

    def centres(self, cells: Any = slice(None)) -> Array:
        """The middle of these cells, (cell, x and y)."""
        steps = np.stack([self.column[cells] + 0.5, self.row[cells] + 0.5], -1)
        found: Array = np.asarray(self.origin) + steps @ np.array([self.across, self.down])
        return found


@dataclass(frozen=True, eq=False)
class Ribbons:
    """Curves from points to points that leave and arrive level; weak ones first."""

    start: Array
    end: Array
    width: Array
    alpha: Array
    dashed: Array
    dye: Array
    """Which of `dyes` each is."""
    dyes: tuple[str, ...]
    blend: Literal["multiply", "over"] = "multiply"


@dataclass(frozen=True, eq=False)
class Lines:
    """One line through points, (point, x and y), broken where they are NaN; a single point is a dot."""

    points: Array
    colour: str
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, eq=False)
class Cells:
    """A matrix as a field of colours, rows from the top."""

    x: float
    y: float
    width: float
    height: float
    shares: Array
    """0 to 1 along the ramp."""
    ramp: str = "ink"
    smooth: bool = False
    """Samples of a smooth field, to be shown without steps."""


@dataclass(frozen=True, eq=False)
class Dots:
    """Points; one that has a ring is an eye: its own dye within another."""

    points: Array
    """(point, x and y)."""
    dye: Array
    """Which of `dyes` each is."""
    ring: Array
    """Which of `dyes` is around it; -1: none."""
    dyes: tuple[str, ...]
    size: float
    """The diameter of a point without a ring."""
    alpha: float = 1.0


@dataclass(frozen=True, eq=False)
class Photos:
    """Small pictures, each in a frame of its colour."""

    boxes: Array
    """(picture, x y width height)."""
    pixels: Array
    """(picture, row, column, red green blue): 0 to 255."""
    colours: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Bars:
    """Filled rectangles, (bar, x y width height)."""

    boxes: Array
    colours: tuple[str, ...]
    radius: float = 0.0


@dataclass(frozen=True, eq=False)
class Text:
    """One line of text; y is the middle of its height."""

    x: float
    y: float
    words: str
    size: float = 17.0
    align: Literal["left", "center", "right"] = "left"
    bold: bool = False
    colour: str = "#1d2228"
    upright: bool = False
    """Turned to read from bottom to top."""


Mark = Tiles | Ribbons | Lines | Cells | Dots | Photos | Bars | Text


def plain(value: Any) -> Any:
    """A picture, a mark or what is in them as values that JSON has; floats to 4 digits, not-a-numbers as None."""
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in "biu" else plain(value.tolist())  # whole numbers are plain already
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}") if isfinite(value) else None
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__dataclass_fields__"):
        return {"is": type(value).__name__.lower()} | {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value
