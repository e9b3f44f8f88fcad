"""Small pictures in rows and columns, each column and row named, each picture with a word under it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Mark, Photos, Text
from nissl.core.palette import FAINT, INK, MUTED, ramp
from nissl.views._staining.lettering import fitted, width

Array = NDArray[Any]
GAP, UNDER, LINE = 12.0, 20.0, 20.0


class Sheet:
    """Where everything lies: names of rows on the left, of columns above; all pictures in squares of one size."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[str]], side: float, top: float = 0.0):
        """`rows`: the lines of each row's name, the first one bold."""
        self.columns, self.rows, self.side = columns, rows, side
        lines = [line for row in rows for line in row]
        self.left = min(max([width(line, 17, bold=True) for line in lines] + [20.0]) + 26, 300.0)
        self.top = top + (34 if columns else 0)
        self.across, self.down = side + GAP, side + UNDER + GAP
        self.width = self.left + self.across * max(len(columns), 1)
        self.height = self.top + self.down * len(rows)

    def names(self) -> list[Mark]:
        marks: list[Mark] = [
            fitted(Text(self.left + self.across * at + self.side / 2, self.top - 16, name, 16, "center", colour=INK), self.across)
            for at, name in enumerate(self.columns)
        ]  # fmt: skip
        for at, row in enumerate(self.rows):
            middle = self.top + self.down * at + self.side / 2 - LINE * (len(row) - 1) / 2
            for number, line in enumerate(row):
                said = Text(
                    4,
                    middle + LINE * number,
                    line,
                    17 if not number else 15,
                    bold=not number,
                    colour=MUTED if number else INK,
                )
                marks.append(fitted(said, self.left - 20))
        return marks

    def pictures(self, pixels: Array, row: int, first: int = 0, frame: str = FAINT) -> Mark:
        """Pictures (picture, row, column, 3) side by side in a row, from a column on; what is not square lies in the middle."""
        high, wide = pixels.shape[1:3]
        scale = self.side / max(high, wide)
        boxes = [
            [
                self.left + self.across * (first + at) + (self.side - wide * scale) / 2,
                self.top + self.down * row + (self.side - high * scale) / 2,
                wide * scale,
                high * scale,
            ]
            for at in range(len(pixels))
        ]
        return Photos(np.array(boxes), pixels, (frame,) * len(pixels))

    def under(self, row: int, column: int, name: str, tail: str = "", colour: str = MUTED) -> Mark:
        """What is said under a picture: the name is shortened where it must be, its tail never."""
        x = self.left + self.across * column + self.side / 2
        y = self.top + self.down * row + self.side + UNDER / 2 + 2
        said = fitted(Text(x, y, name, 14, "center", colour=colour), self.across - 4 - width(tail, 14))
        return replace(said, words=said.words + tail)


def scale(x: float, y: float, low: str, high: str) -> list[Mark]:
    """The key of signed maps."""
    shares = np.linspace(0, 1, 9)
    pixels = np.round(255 * ramp("change", shares)).astype(np.uint8)
    step = 16.0
    box = np.array([[x, y, step * len(shares), 16.0]])
    return [
        Photos(box, pixels[None, None], (FAINT,)),
        Text(x + step * len(shares) + 12, y + 8, f"{low} to {high}; paper is 0", 16, colour=MUTED),
    ]
