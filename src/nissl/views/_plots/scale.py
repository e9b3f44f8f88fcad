"""The scale that colours are read by, and which of many words there is room for."""

from collections.abc import Sequence

import numpy as np

from nissl.core.marks import Cells, Lines, Mark, Text
from nissl.core.palette import FAINT, MUTED
from nissl.views._staining.lettering import number


def scale(x: float, y: float, wide: float, ramp: str, ends: Sequence[float], words: str) -> list[Mark]:
    """A strip of the ramp with the values at its ends and evenly between, and what they are, at its right."""
    marks: list[Mark] = [Cells(x, y, wide, 16, np.linspace(0, 1, 65)[None], ramp)]
    marks.append(Lines(np.array([(x, y), (x + wide, y), (x + wide, y + 16), (x, y + 16), (x, y)], float), FAINT, 1.0))
    for place, value in enumerate(ends):
        at = x + wide * place / (len(ends) - 1)
        sign = "+" if value > 0 and ends[0] < 0 else "−" if value < 0 else ""
        marks.append(Text(at, y + 32, f"{sign}{number(abs(value))}", 15, "center", colour=MUTED))
    return [*marks, Text(x + wide + 24, y + 8, words, 15, colour=MUTED)]


def spaced(count: int, step: float, least: float) -> range:
    """Every nth of `count` places that lie `step` apart, so that words of this height do not touch."""
    return range(0, count, max(1, int(np.ceil(least / step))))


def thinned(count: int, step: float, least: float) -> list[str]:
    """What a caption says where not every row is named."""
    every = spaced(count, step, least).step
    return [f"one row in {every} is named"] if every > 1 else []
