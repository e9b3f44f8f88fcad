"""Samples that are taken for something else, and what the network looked at in them as it learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nissl.core.marks import Mark, Text
from nissl.core.palette import INK, MUTED, STAIN10
from nissl.core.pictures import images
from nissl.core.view import Picture, View
from nissl.errors import BadValue
from nissl.views._attributing.pixels import planes, signed
from nissl.views._samples.sheet import Sheet, scale
from nissl.views._staining.lettering import counted, sentences

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Misclassified(View):
    """A row a sample, the worst first: what it is, what it was taken for, and its attributions stage by stage."""

    numbers: Array
    """Which samples they are."""
    inputs: Array
    """(sample, channel, row, column)."""
    labels: Array
    probabilities: Array
    """(stage, sample, class)."""
    attributions: Array
    """Of the true class, (stage, sample, channel, row, column)."""
    epochs: Sequence[int]
    classes: Sequence[str]
    by: str
    total: int
    """So many samples are taken for something else at the last stage."""
    of: int
    """Of so many."""

    def describe(self) -> Picture:
        pixels = images(self.inputs)
        if pixels is None:
            raise BadValue(f"Samples of the shape {self.inputs.shape[1:]} are no pictures that can be shown.")
        said = self.probabilities.argmax(-1)
        rows = [
            (f"{self.classes[label]}", f"taken for {self.classes[last]}", f"sample {number}")
            for number, label, last in zip(self.numbers, self.labels, said[-1], strict=True)
        ]
        side = 110.0 if len(self.epochs) > 5 else 130.0
        sheet = Sheet(["sample", *(f"epoch {epoch}" for epoch in self.epochs)], rows, side, 26)
        marks = sheet.names()
        for row in range(len(rows)):
            maps = signed(planes(self.attributions[:, row], 1))
            marks += [sheet.pictures(pixels[row : row + 1], row), sheet.pictures(maps, row, 1)]
            for at in range(len(self.epochs)):
                marks.append(self._answer(sheet, row, at, int(said[at, row])))
        marks.insert(
            0,
            Text(
                sheet.left + sheet.across,
                10,
                f"where more would speak for the truth or against it, by {self.by}",
                16,
                colour=MUTED,
            ),
        )
        marks += scale(sheet.left, sheet.height + 6, "more of it speaks against the truth", "for it")
        wide = max(sheet.width, 900.0)
        return Picture("Misclassified samples", self._caption(), wide, sheet.height + 40, tuple(marks))

    def _answer(self, sheet: Sheet, row: int, at: int, said: int) -> Mark:
        truth = int(self.labels[row])
        given = self.probabilities[at, row, truth]
        right = said == truth
        name = "right" if right else str(self.classes[said])
        return sheet.under(row, at + 1, name, f", p {given:.2f}", STAIN10[0] if right else INK)

    def _caption(self) -> str:
        shown = counted(len(self.inputs), self.total, "sample")
        return sentences(
            [
                f"of {self.of:,} samples {self.total:,} {'is' if self.total == 1 else 'are'} taken for something else after the last stage; {shown}",
                "the worst come first: those whose true class was given the least probability",
                "below each stage: what was answered then, and the probability that the true class was given",
                "each map is coloured by its own largest value, so that maps tell where and not how much",
            ]
        )
