"""Portraits beside each other, each with what was measured of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Cells, Lines, Mark, Photos, Text
from nissl.core.palette import FAINT, INK, MUTED
from nissl.core.portraits import Portraits
from nissl.core.view import Picture, View
from nissl.views._portraits.measures import called, lines, meaning
from nissl.views._staining.lettering import counted, fitted, sentences

Array = NDArray[Any]
WIDE, GAP = 1600.0, 14.0
LEAST = 900.0
"""Room for title and caption."""
COLUMNS = 10
LINE = 21.0
MOST = 100


@dataclass(frozen=True, eq=False)
class Gallery(View):
    """One picture a portrait, those of a target together; inputs that are no images as strips of their values."""

    portraits: Portraits

    def describe(self) -> Picture:
        shown = self.portraits.some(list(range(min(len(self.portraits), MOST))))
        pixels = shown.pixels
        marks, width, height = _strips(shown) if pixels is None else _photos(shown, pixels)
        return Picture(self._title(), self._caption(len(shown)), width, height, tuple(marks))

    def _title(self) -> str:
        named = {"match": "What {} keeps of inputs", "energy": "Dreams of {}"}
        of = str(self.portraits.recipe.get("of"))
        plain = "Portraits" if self.portraits.given is None else "Dreams of {}"
        return named.get(self.portraits.metric, plain).format(of)

    def _caption(self, shown: int) -> str:
        many = len(self.portraits)
        recipe = self.portraits.recipe
        said = [
            counted(shown, many, "portrait"),
            f"drawn by {recipe['steps']} steps along the network's gradient on the canvas {recipe['canvas']!r}",
            meaning(self.portraits),
        ]
        if self.portraits.given is not None:
            said.append("above each picture the input that was given")
        if self.portraits.pixels is None:
            said.append(
                "each strip is the values of one input, from the least of the span (green) to the largest (red)"
            )
        return sentences(said)


def _photos(shown: Portraits, pixels: Array) -> tuple[list[Mark], float, float]:
    """Targets one after the other in rows; several of one target below each other."""
    groups = [[k for k, _ in found] for _, found in groupby(enumerate(shown.targets), key=lambda pair: pair[1])]
    columns, room = min(COLUMNS, len(groups)), WIDE / COLUMNS
    rows, across = pixels.shape[1:3]
    side = room - GAP
    high = min(side * rows / across, 1.6 * side)
    wide = high * across / rows
    told = lines(shown)
    step = high + LINE * max(len(each) for each in told) + 18
    before = shown.seen(shown.given) if shown.given is not None else None
    marks: list[Mark] = []
    boxes, seen, top = [], [], 0.0
    for start in range(0, len(groups), columns):
        line = groups[start : start + columns]
        for column, group in enumerate(line):
            middle = room * (column + 0.5)
            name = Text(middle, top + 16, called(shown.targets[group[0]]), 20, "center", bold=True, colour=INK)
            marks.append(fitted(name, side))
            y = top + 36
            for k in group:
                if before is not None:
                    boxes.append([middle - wide / 2, y, wide, high])
                    seen.append(before[k])
                    y += high + 6
                boxes.append([middle - wide / 2, y, wide, high])
                seen.append(pixels[k])
                marks += _written(told[k], middle, y + high + 14, side)
                y += step
        top += 46 + (step + (high + 6 if before is not None else 0)) * max(map(len, line))
    marks.append(Photos(np.array(boxes), np.array(seen), (FAINT,) * len(boxes)))
    return marks, max(LEAST, room * columns), top


def _written(words: Sequence[str], middle: float, top: float, room: float) -> list[Mark]:
    return [
        fitted(Text(middle, top + LINE * row, word, 15, "center", colour=MUTED if row else INK), room)
        for row, word in enumerate(words)
    ]


def _strips(shown: Portraits) -> tuple[list[Mark], float, float]:
    paper = shown.paper
    share = np.clip((shown.pictures - paper.low) / paper.span, 0, 1).reshape(len(shown), -1)
    marks: list[Mark] = []
    step, left, wide = 46.0, 220.0, 900.0
    for k, words in enumerate(lines(shown)):
        y = step * k + 10
        marks += [
            fitted(Text(left - 14, y + 15, called(shown.targets[k]), 18, "right", bold=True, colour=INK), left - 20),
            Cells(left, y, wide, 30, share[k : k + 1], "change"),
            Lines(np.array([[left, y], [left + wide, y], [left + wide, y + 30], [left, y + 30], [left, y]]), FAINT),
            fitted(Text(left + wide + 16, y + 15, ", ".join(words), 15, colour=MUTED), WIDE - left - wide - 20),
        ]
    return marks, WIDE, step * len(shown) + 10
