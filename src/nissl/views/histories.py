"""Every unit's activity over the epochs, stained."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import address
from nissl.core.marks import Bars, Lines, Mark, Text, Tiles
from nissl.core.palette import FAINT, PAPER
from nissl.core.view import Picture, TraceView
from nissl.views._plots.panel import Panel, chosen, round_epochs
from nissl.views._staining import legend, lettering
from nissl.views._staining.rack import averaged, groups
from nissl.views._staining.responses import MIXED, active, choose, dyes, order, responses, silent, source, stain

MOST_LAYERS, MOST_ROWS, MOST_COLUMNS, MOST_CLASSES = 8, 200, 150, 8


@dataclass(frozen=True)
class Histories(TraceView):
    """For each layer a strip: a row is a unit, a column an epoch; rows of units that prefer the same class lie together.

    `layers`: which; None: the last eight. `classes`: those that are dyed; None: as `Pathways` chooses them.
    """

    layers: Sequence[str] | None = None
    classes: Sequence[str | int] | None = None

    def describe(self) -> Picture:
        last = self.moment()
        every = active(self.trace)
        names = every[-MOST_LAYERS:]
        if self.layers is not None:
            asked = {address.layer_name(name, self.trace.layers) for name in self.layers}
            names = [name for name in every if name in asked]
        dyed = choose(self.trace, last, MOST_CLASSES) if self.classes is None else self.numbers(self.classes)
        epochs = chosen(self.trace.epochs, MOST_COLUMNS)
        down = -(-len(names) // 4)
        across = -(-len(names) // down)
        named = max([lettering.width(self.trace.classes[k], 16, bold=True) for k in dyed] + [60.0])
        high = 560.0 if down == 1 else 330.0
        marks: list[Mark] = []
        for place, name in enumerate(names):
            room, beside = 1600 / across, 32 + min(named, 130.0)
            left, top = room * (place % across), (high + 150) * (place // across)
            panel = Panel(left + beside, top + 75, room - beside - 30, high, (-0.5, len(epochs) - 0.5))
            marks += self._strip(name, epochs, dyed, panel)
        bottom = (high + 150) * down + 20
        inks = dyes(self.trace, dyed)
        marks += legend.key(inks[0] if inks else None, silent=False, y=bottom)
        marks += legend.chips([self.trace.classes[k] for k in dyed], inks, y=bottom + 34)
        caption = self._caption(names, every, epochs, dyed)
        return Picture("Unit histories by activity", caption, 1600, bottom + (54 if dyed else 20), tuple(marks))

    def _strip(self, name: str, epochs: list[int], dyed: tuple[int, ...], panel: Panel) -> list[Mark]:
        values = responses(self.trace, name, epochs)
        rank = order(values[-1])
        row, first = groups(rank, MOST_ROWS)
        painted = stain(values, dyed)
        grey, depth = averaged(painted.grey.T, row), averaged(painted.depth.transpose(1, 0, 2), row)
        rows, columns = grey.shape
        at = np.indices((rows, columns)).reshape(2, -1)
        units = np.bincount(row)
        step = (panel.width / columns, panel.height / rows)
        tiles = Tiles(
            name, (panel.left, panel.top), (step[0], 0.0), (0.0, step[1]), at[0], at[1], first[at[0]], units[at[0]],
            grey.ravel(), depth.reshape(rows * columns, -1), dyes(self.trace, dyed), np.zeros(rows * columns, bool),
        )  # fmt: skip
        place = self.trace.place(name)
        marks: list[Mark] = [
            lettering.fitted(Text(panel.left, panel.top - 44, name, 20, bold=True), panel.width, keep_end=True),
            Text(panel.left, panel.top - 20, lettering.plural(len(row), place.unit), 16, colour="#5a5f66"),
            tiles,
            *self._preferred(values[-1][rank], panel, dyed),
        ]
        if step[1] >= 12:  # units apart where there is room
            ys = panel.top + step[1] * np.arange(1, rows)
            marks += [Lines(np.array([[panel.left, y], [panel.left + panel.width, y]]), PAPER, 2.0) for y in ys]
        corners = panel.at([-0.5, len(epochs) - 0.5, len(epochs) - 0.5, -0.5, -0.5], [0, 0, 1, 1, 0])
        ticks = [(float(epochs.index(e)), e) for e in round_epochs(epochs, max(2, int(panel.width / 60)))]
        return [*marks, Lines(corners, FAINT, 1.2), *panel.x_ticks(ticks)]

    def _preferred(self, ranked: NDArray[Any], panel: Panel, dyed: tuple[int, ...]) -> list[Mark]:
        """Which class the units beside it prefer at the last epoch, named where there is room."""
        if ranked.shape[1] < 2:
            return []
        best = np.where(silent(ranked), -1, np.where(np.isfinite(ranked), ranked, -np.inf).argmax(1))
        edges = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist(), len(best)]
        inks = dict(zip(dyed, dyes(self.trace, dyed), strict=True))
        marks: list[Mark] = []
        for start, stop in pairwise(edges):
            number, y = int(best[start]), panel.top + panel.height * start / len(best)
            high = panel.height * (stop - start) / len(best)
            if number in inks:
                marks.append(Bars(np.array([[panel.left - 16, y + 0.5, 9, max(high - 1, 0.5)]]), (inks[number],)))
            words = "silent" if number < 0 else self.trace.classes[number] if number in inks else ""
            if high >= 19 and words:
                text = Text(panel.left - 24, y + high / 2, words, 16, "right", number >= 0)
                marks.append(lettering.fitted(text, 130))
        return marks

    def _caption(self, names: list[str], every: list[str], epochs: list[int], dyed: tuple[int, ...]) -> str:
        trace = self.trace
        said = [
            f"A row is a unit, a column an epoch; mean activity on {source(trace, names)}, which is not proved to matter, scaled by the layer's last epoch"
        ]
        if len(trace.classes) > 1:
            most = ", a unit with the dye of the class that it answers to most" if len(dyed) > MIXED else ""
            said.append(
                f"Grey answers to all {len(trace.classes)} classes alike, dye is a response above 1.15 x the unit's mean{most}"
            )
            said.append("rows are ordered by the class that the unit prefers at the last epoch, the purest first")
        else:
            said.append(
                "no classes are recorded, so that nothing is dyed; rows are ordered by activity at the last epoch"
            )
        largest = max(trace.units(name) for name in names)
        if largest > MOST_ROWS:
            said.append(
                f"in layers of more than {MOST_ROWS} units a row is the mean of up to {-(-largest // MOST_ROWS)} neighbours"
            )
        if 0 < len(dyed) < len(trace.classes):
            said.append(f"{len(dyed)} of {len(trace.classes)} classes dyed")
        said.append(
            f"{lettering.counted(len(names), len(every), 'layer')}, {lettering.counted(len(epochs), len(trace.epochs), 'epoch')}"
        )
        return lettering.sentences(said)
