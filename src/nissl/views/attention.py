"""Where each layer's answer to a sample comes from, as the network learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Text
from nissl.core.palette import MUTED
from nissl.core.pictures import images
from nissl.core.view import Picture, View
from nissl.errors import BadValue
from nissl.views._attributing.pixels import planes, signed
from nissl.views._samples.sheet import Sheet, scale
from nissl.views._staining.lettering import counted, sentences

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Attention(View):
    """One sample: a row a layer, a column a stage of training."""

    sample: Array
    """(channel, row, column)."""
    maps: Array
    """(layer, stage, channel, row, column)."""
    layers: Sequence[str]
    columns: Sequence[str]
    """What each stage, or each of several networks, is called."""
    answers: Sequence[str]
    """What was answered at each."""
    given: Sequence[float]
    """The probability of the truth, at each."""
    title: str
    by: str
    there: int
    """So many layers could be shown."""

    def describe(self) -> Picture:
        pixels = images(np.asarray(self.sample)[None])
        if pixels is None:
            raise BadValue(f"A sample of the shape {self.sample.shape} is no picture that can be shown.")
        sheet = Sheet(self.columns, [(name,) for name in self.layers], 110.0, 170)
        marks = sheet.names()
        marks.append(Text(sheet.left, 8, "the sample", 16, colour=MUTED))
        above = Sheet([], [()], 110.0, 22)
        above.left = sheet.left
        marks.append(above.pictures(pixels, 0))
        for row, maps in enumerate(self.maps):
            marks.append(sheet.pictures(signed(planes(maps, 1)), row))
        last = len(self.layers) - 1
        for at, (answer, given) in enumerate(zip(self.answers, self.given, strict=True)):
            marks.append(sheet.under(last, at, answer, f", p {given:.2f}"))
        marks += scale(sheet.left, sheet.height + 8, "less", "more")
        return Picture(
            f"Attention of {self.title}", self._caption(), max(sheet.width, 900.0), sheet.height + 42, tuple(marks)
        )

    def _caption(self) -> str:
        return sentences(
            [
                f"What of the sample all that a layer says comes from, by {self.by}; {counted(len(self.layers), self.there, 'layer')}",
                "under the last row: what the network then answered, and how likely it found the truth",
                "each map is coloured by its own largest value",
            ]
        )
