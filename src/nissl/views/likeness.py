"""How alike epochs are to epochs, and layers to layers."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change.found import Alike
from nissl.core.change.found import Changes as Found
from nissl.core.change.search import changes
from nissl.core.marks import Cells, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED
from nissl.core.view import Picture, TraceView
from nissl.views._plots.panel import chosen, round_epochs
from nissl.views._staining import lettering

MOST, ACROSS, NAMES = 7, 4, 16
SIDE, ROOM = 250.0, 400.0


@dataclass(frozen=True)
class Likeness(TraceView):
    """Debiased linear CKA: for each layer epochs with epochs, and at the last epoch layers with layers.

    `found`: what `nissl.changes` found in this trace, if that is at hand.
    """

    found: Found | None = field(default=None, compare=False)

    def describe(self) -> Picture:
        self.moment()
        alike = (self.found if self.found is not None else changes(self.trace)).alike
        names = [alike.layers[place] for place in chosen(list(range(len(alike.layers))), MOST)] if alike.layers else []
        fields = [(name, alike.within[name]) for name in names if np.isfinite(alike.within[name]).any()]
        marks: list[Mark] = []
        for place, (name, table) in enumerate(fields):
            marks += _epochs(name, table, alike.epochs, 70 + ROOM * (place % ACROSS), 60 + 350 * (place // ACROSS))
        across = alike.across[-1] if len(alike.epochs) else np.zeros((0, 0))
        if fields and len(alike.layers) > 1 and np.isfinite(across).any():
            place = len(fields)
            marks += _layers(alike, across, 70 + ROOM * (place % ACROSS), 60 + 350 * (place // ACROSS))
        rows = -(-(len(fields) + 1) // ACROSS)
        if not fields:
            marks.append(Text(0, 40, "nothing to compare: that takes four points that differ", 18, colour=MUTED))
            return Picture("How alike epochs and layers are", _caption(alike, names, 0), 1600, 80, tuple(marks))
        low = 350 * rows + 20
        marks += _scale(low)
        return Picture(
            "How alike epochs and layers are", _caption(alike, names, len(fields)), 1600, low + 50, tuple(marks)
        )


def _field(table: NDArray[Any], left: float, top: float) -> list[Mark]:
    box = [[left, top], [left + SIDE, top], [left + SIDE, top + SIDE], [left, top + SIDE], [left, top]]
    return [Cells(left, top, SIDE, SIDE, np.clip(np.nan_to_num(table), 0, 1)), Lines(np.array(box), FAINT, 1.2)]


def _epochs(name: str, table: NDArray[Any], epochs: tuple[int, ...], left: float, top: float) -> list[Mark]:
    marks: list[Mark] = [
        lettering.fitted(Text(left, top - 22, name, 18, bold=True, colour=INK), SIDE + 60, keep_end=True)
    ]
    marks += _field(table, left, top)
    step = SIDE / len(epochs)
    for epoch in round_epochs(epochs, 4):
        if epoch in epochs:
            at = step * (epochs.index(epoch) + 0.5)
            marks.append(Text(left + at, top + SIDE + 16, f"{epoch}", 15, "center", colour=MUTED))
            marks.append(Text(left - 8, top + at, f"{epoch}", 15, "right", colour=MUTED))
    return [*marks, Text(left + SIDE / 2, top + SIDE + 38, "epoch", 15, "center", colour=MUTED)]


def _layers(alike: Alike, table: NDArray[Any], left: float, top: float) -> list[Mark]:
    """Layers with layers; named by their place where there are too many names."""
    marks: list[Mark] = [Text(left, top - 22, f"layers at E_{alike.epochs[-1]}", 18, bold=True, colour=INK)]
    marks += _field(table, left, top)
    step = SIDE / len(alike.layers)
    if len(alike.layers) <= NAMES and step >= 15:
        for place, name in enumerate(alike.layers):
            words = Text(left + SIDE + 8, top + step * (place + 0.5), name, 13, colour=INK)
            marks.append(lettering.fitted(words, 70, keep_end=True))
    else:
        ends = ((0, f"{alike.layers[0]}"), (len(alike.layers) - 1, f"{alike.layers[-1]}"))
        for place, name in ends:
            words = Text(left + SIDE + 8, top + step * (place + 0.5), name, 13, colour=INK)
            marks.append(lettering.fitted(words, 70, keep_end=True))
    return marks


def _scale(top: float) -> list[Mark]:
    marks: list[Mark] = [Cells(70, top, 300, 16, np.linspace(0, 1, 80)[None])]
    for share, words in ((0.0, "0: unrelated"), (1.0, "1: alike but for rotation")):
        marks.append(Text(70 + 300 * share, top + 32, words, 15, "center" if share else "left", colour=MUTED))
    return marks


def _caption(alike: Alike, names: list[str], compared: int) -> str:
    whose = f"{alike.points:,} probe examples" if alike.by == "samples" else f"the profiles of {alike.points:,} classes"
    said = [
        f"Debiased linear CKA of {whose}, which counts no noise as likeness; below 0 it is shown as 0",
        lettering.counted(compared, len(alike.layers), "layer") if compared else "no layer can be compared",
    ]
    if 0 < compared < len(names):
        same = [name for name in names if not np.isfinite(alike.within[name]).any()]
        said.append(f"nothing can be compared of {lettering.listed(same)}, the same for every example")
    if alike.by == "classes":
        said.append("classes are few points: record the quantity 'samples' to compare examples")
    if len(alike.epochs) > 1:
        said.append(f"{len(alike.epochs)} epochs are compared")
    return lettering.sentences(said)
