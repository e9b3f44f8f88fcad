"""Portraits over training: a row a target, a column a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nissl.core.marks import Mark, Photos, Text
from nissl.core.palette import FAINT, INK, MUTED
from nissl.core.portraits import Portraits
from nissl.core.view import Picture, View
from nissl.errors import BadValue
from nissl.views._portraits.measures import brief, called
from nissl.views._staining.lettering import counted, fitted, sentences, width

WIDE, GAP, TOP = 1600.0, 10.0, 44.0
NAMED, BROADEST = 17.0, 260.0
"""The size of a target's name, and the most room that names take."""
ROWS, COLUMNS = 20, 12
TALLEST, NARROWEST = 130.0, 96.0
LEAST = 900.0
"""Room for title and caption."""
BELOW = 26.0


@dataclass(frozen=True, eq=False)
class Filmstrip(View):
    """Moments by name ("epoch 3"), in their order, each with portraits of the same targets."""

    moments: Mapping[str, Portraits]

    def describe(self) -> Picture:
        names, last = self._checked()
        shown = [names[k] for k in _even(len(names), COLUMNS)]
        rows = _even(len(last), ROWS)
        pixels = last.pixels
        assert pixels is not None
        high, wide = pixels.shape[1:3]
        left = _left(last, rows)
        scale = min(((WIDE - left) / len(shown) - GAP) / wide, TALLEST / high)
        box = (wide * scale, high * scale)
        room = max(box[0], NARROWEST)
        across = max(left + (room + GAP) * len(shown), LEAST)
        marks: list[Mark] = []
        boxes, photos = [], []
        for column, name in enumerate(shown):
            middle = left + (room + GAP) * (column + 0.5)
            marks.append(fitted(Text(middle, 18, called(name), 17, "center", bold=True, colour=INK), room))
            found = self.moments[name]
            every = found.pixels
            assert every is not None
            for row, k in enumerate(rows):
                y = TOP + (box[1] + BELOW) * row
                boxes.append([middle - box[0] / 2, y, *box])
                photos.append(every[k])
                marks.append(
                    fitted(Text(middle, y + box[1] + 12, brief(found, k), 13, "center", colour=MUTED), room + GAP)
                )
        marks += _targets(last, rows, left, box[1])
        marks.append(Photos(np.array(boxes), np.array(photos), (FAINT,) * len(boxes)))
        height = TOP + (box[1] + BELOW) * len(rows) + 4
        return Picture(
            "Portraits over training", self._caption(len(shown), len(rows), last), across, height, tuple(marks)
        )

    def _checked(self) -> tuple[list[str], Portraits]:
        names = list(self.moments)
        if not names:
            raise BadValue("A film strip has at least one moment: give {'epoch 1': portraits, ...}.")
        last = self.moments[names[-1]]
        for name in names:
            found = self.moments[name]
            if found.targets != last.targets or found.pixels is None or found.pictures.shape != last.pictures.shape:
                raise BadValue(
                    f"{name!r} holds {found!r}, and {names[-1]!r} {last!r}: a film strip is of images of the same targets at "
                    "every moment."
                )
        return names, last

    def _caption(self, moments: int, rows: int, last: Portraits) -> str:
        return sentences(
            [
                f"columns: moments of training, {counted(moments, len(self.moments), 'moment')}; rows: what is wanted",
                counted(rows, len(last), "target"),
                f"below each picture the {'probability of its class' if last.probabilities is not None else last.metric}",
                f"each drawn by {last.recipe['steps']} steps along the gradient of the network as it was then",
            ]
        )


def _left(last: Portraits, rows: Sequence[int]) -> float:
    """Room for the longest name."""
    return min(max(width(called(last.targets[k]), NAMED, bold=True) for k in rows) + 22, BROADEST)


def _targets(last: Portraits, rows: Sequence[int], left: float, high: float) -> list[Mark]:
    return [
        fitted(
            Text(left - 14, TOP + (high + BELOW) * row + high / 2, called(last.targets[k]), NAMED, "right", True, INK),
            left - 20,
        )
        for row, k in enumerate(rows)
    ]


def _even(there: int, most: int) -> list[int]:
    """At most so many of what is there, the first and the last among them."""
    return np.unique(np.linspace(0, there - 1, min(there, most)).round().astype(int)).tolist()
