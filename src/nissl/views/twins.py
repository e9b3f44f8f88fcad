"""What differs between two runs, and where: units beside their partners, layer by layer, and epoch by epoch."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change.twins import NEAR, Pair
from nissl.core.change.twins import Twins as Found
from nissl.core.marks import Cells, Dots, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED, STAIN10
from nissl.core.view import Picture, View
from nissl.views._plots.panel import Panel, chosen, round_epochs
from nissl.views._plots.scale import scale
from nissl.views._staining import lettering

Array = NDArray[Any]
MOST, NAMED, LINES = 8, 3, 60
"""Layers, pairs that are named, and rows of a field."""
ONE = 0.995
"""A correlation that is told as 1.00."""
WIDTH, HIGH, STEP, TOP = 1600.0, 130.0, 232.0, 60.0
LEFT, WIDE = 60.0, 560.0
RIGHT, BROAD = 740.0, 540.0
ALIKE, OTHER = STAIN10[0], STAIN10[1]


@dataclass(frozen=True, eq=False)
class Twins(View):
    """Of `nissl.changes(one, other)`. A row a layer: how well each unit and its partner agree, beside chance; when they went apart."""

    found: Found

    def describe(self) -> Picture:
        pairs = self.found.pairs
        shown = [pairs[place] for place in chosen(range(len(pairs)), MOST)]
        far = [pair.distances[np.isfinite(pair.distances)] for pair in shown]
        most = max([float(np.quantile(one, 0.99)) for one in far if len(one)], default=0.0)
        most = max(most, 2 * NEAR)
        marks: list[Mark] = []
        for row, pair in enumerate(shown):
            top = TOP + 50 + STEP * row
            marks += self._layer(pair, top) + _agreement(pair, top, self.found.level) + _field(pair, top, most)
        low = TOP + 50 + STEP * len(shown)
        marks += (
            _heads() + _signs(low) + scale(RIGHT, low - 6, 300, "ink", (0, most / 2, most), "of the layer's spread")
        )
        marks += self._wholes(shown) if len(pairs) > 1 else []
        return Picture(
            "What differs between the two runs, and where", self._caption(shown), WIDTH, low + 50, tuple(marks)
        )

    def _layer(self, pair: Pair, top: float) -> list[Mark]:
        """A layer's name, and how much of it is in both."""
        match = pair.matching
        name = pair.one if pair.one == pair.other else f"{pair.one} | {pair.other}"
        count, alike = len(match.one), int(match.partners(self.found.level).sum())
        if pair.kin and pair.epochs:
            same = int((pair.distances[-1] <= NEAR).sum())
            said = f"{same:,} of {lettering.plural(count, 'unit')} answer alike in the end"
        else:
            said = f"{alike:,} of {lettering.plural(count, 'unit')} have a partner beyond chance"
        title = lettering.fitted(Text(LEFT, top - 34, name, 19, bold=True, colour=INK), 250, keep_end=True)
        return [title, Text(LEFT + WIDE, top - 34, said, 15, "right", colour=MUTED)]

    def _wholes(self, shown: list[Pair]) -> list[Mark]:
        """Layers of one run beside layers of the other."""
        places = [self.found.pairs.index(pair) for pair in shown]
        table = self.found.across[np.ix_(places, places)]
        left, side, top = 1360.0, 170.0, TOP + 50.0
        if not np.isfinite(table).any():
            return []
        box = [[left, top], [left + side, top], [left + side, top + side], [left, top + side], [left, top]]
        marks: list[Mark] = [
            Text(left, TOP - 38, "layers as wholes", 19, bold=True, colour=INK),
            Text(left, TOP - 12, "debiased CKA", 15, colour=MUTED),
            Cells(left, top, side, side, np.clip(np.nan_to_num(table), 0, 1)),
            Lines(np.array(box), FAINT, 1.2),
            Text(left + side / 2, top - 14, "of the other run", 14, "center", colour=MUTED),
            Text(left - 14, top + side / 2, "of the first", 14, "center", colour=MUTED, upright=True),
        ]
        step = side / len(shown)
        for place, pair in enumerate(shown):
            value, at = table[place, place], top + step * (place + 0.5)
            told = _told(float(value)) if np.isfinite(value) else "none"
            marks.append(Text(left + side + 8, at, f"{place + 1}: {told}", 14, colour=INK))
            name = lettering.fitted(
                Text(left, top + side + 22 + 22 * place, f"{place + 1}: {pair.one}", 14, colour=MUTED), 230
            )
            marks.append(name)
        return marks

    def _caption(self, shown: list[Pair]) -> str:
        found = self.found
        by = sorted({f"{pair.points:,} {'examples' if pair.by == 'samples' else 'classes'}" for pair in shown})
        kin = any(pair.kin for pair in shown)
        said = [
            (
                f"Left: a dot is a unit and its partner in the other run, by the correlation of what they respond to ({lettering.listed(by)}); "
                f"the dashed line is what shuffled responses are matched with, the grey one what {100 * found.level:g} % of these exceed"
            ),
            "Units of runs that began alike keep their numbers" if kin else "Partners are the assignment with the largest sum of correlations",
            "Right: partners from the most unlike in the end, at the top, to the most alike; dark where their profiles are far apart",
            lettering.counted(len(shown), len(found.pairs), "layer"),
        ]  # fmt: skip
        for name in ("probe_accuracy", "accuracy"):
            if name in found.one.scalars and name in found.other.scalars:
                one, other = (float(trace.scalars[name].values[-1]) for trace in (found.one, found.other))
                told = "Held-out accuracy" if "probe" in name else "Accuracy"
                said.append(f"{told} is {one:.3f} in the first run and {other:.3f} in the other")
                break
        return lettering.sentences(said)


def _heads() -> list[Mark]:
    return [
        Text(LEFT, TOP - 38, "how alike partners are", 19, bold=True, colour=INK),
        Text(RIGHT, TOP - 38, "how far partners are apart, epoch by epoch", 19, bold=True, colour=INK),
    ]


def _agreement(pair: Pair, top: float, level: float) -> list[Mark]:
    """Correlations of partners in rising order, beside those of shuffled responses; the least alike are named."""
    match = pair.matching
    order = match.correlation.argsort(kind="stable")
    values, alike = match.correlation[order], match.partners(level)[order]
    count = len(values)
    floor = min(0.0, float(values.min(initial=0)), float(match.null.min(initial=0)))
    ticks = (-1.0, 0.0, 1.0) if floor < -0.5 else (-0.5, 0.0, 0.5, 1.0) if floor < 0 else (0.0, 0.5, 1.0)
    panel = Panel(LEFT, top, WIDE, HIGH, (-0.5, max(count - 0.5, 0.5)), (ticks[0], 1.0))
    marks = panel.y_ticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    if len(match.null):
        bound = float(np.quantile(match.null, 1 - level))
        along = np.linspace(-0.5, count - 0.5, 80)
        null = np.quantile(match.null, np.linspace(0, 1, 80))
        marks.append(Lines(panel.at([-0.5, count - 0.5], [bound, bound]), "#b9b6ae", 1.6))
        marks.append(Lines(panel.at(along, null), MUTED, 1.4, dashed=True))
    size = float(np.clip(WIDE / max(count, 1), 3.5, 9))
    dye = np.where(alike, 0, 1)
    marks.append(Dots(panel.at(np.arange(count), values), dye, np.full(count, -1), (ALIKE, OTHER), size, 0.9))
    least = [k for k in order[:NAMED] if match.correlation[k] < ONE]
    said = [f"{match.one[k]} | {match.other[k]} ({_told(float(match.correlation[k]))})" for k in least]
    words = f"least alike: {', '.join(said)}" if said else "all alike"
    marks.append(lettering.fitted(Text(LEFT, top + HIGH + 22, words, 15, colour=MUTED), WIDE))
    return marks


def _field(pair: Pair, top: float, most: float) -> list[Mark]:
    """(pair, epoch): distances, the most unlike in the end at the top."""
    box = [[RIGHT, top], [RIGHT + BROAD, top], [RIGHT + BROAD, top + HIGH], [RIGHT, top + HIGH], [RIGHT, top]]
    edge = Lines(np.array(box), FAINT, 1.2)
    if not pair.epochs or not pair.distances.shape[1]:
        return [
            edge,
            Text(RIGHT + BROAD / 2, top + HIGH / 2, "the runs share no epochs or classes", 15, "center", colour=MUTED),
        ]
    far = pair.distances[:, (-np.nan_to_num(pair.distances[-1])).argsort(kind="stable")].T
    rows = min(len(far), LINES)
    edges = np.linspace(0, len(far), rows + 1).round().astype(int)
    table = np.stack([far[a:b].mean(0) for a, b in pairwise(edges)])
    marks: list[Mark] = [Cells(RIGHT, top, BROAD, HIGH, np.clip(np.nan_to_num(table / most), 0, 1)), edge]
    step = BROAD / len(pair.epochs)
    for epoch in round_epochs(pair.epochs, 8):
        if epoch in pair.epochs:
            x = RIGHT + step * (pair.epochs.index(epoch) + 0.5)
            marks.append(Text(x, top + HIGH + 18, f"{epoch}", 15, "center", colour=MUTED))
    ends = (f"{len(far):,} pairs",) if len(far) > 1 else ("its pair",)
    return [*marks, Text(RIGHT - 14, top + HIGH / 2, ends[0], 15, "center", colour=MUTED, upright=True)]


def _signs(low: float) -> list[Mark]:
    marks: list[Mark] = []
    x = LEFT
    for dye, words in ((ALIKE, "alike beyond chance"), (OTHER, "no more alike than chance")):
        marks += [
            Dots(np.array([[x + 7, low]]), np.zeros(1, int), np.full(1, -1), (dye,), 9.0),
            Text(x + 22, low, words, 16, colour=INK),
        ]
        x += 22 + lettering.width(words, 16) + 24
    return marks


def _told(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
