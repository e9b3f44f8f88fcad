"""What changed, when and where: layers over epochs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change.found import Changes as Found
from nissl.core.change.search import changes
from nissl.core.marks import Bars, Cells, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED, STAIN10
from nissl.core.view import Picture, TraceView
from nissl.views._plots.panel import Panel, chosen, round_epochs
from nissl.views._staining import lettering

Floats = NDArray[np.float64]
MOST_LAYERS, MOST_COLUMNS = 24, 150
LEFT, WIDE = 230.0, 1130.0
UNITS, WHOLE, PACE = STAIN10[1], STAIN10[4], STAIN10[0]
"""Dyes of the marks: units that jumped, a layer's geometry, its pace."""
COUNTS = {
    "born": ("birth", "recovery"), "died or saturated": ("death", "saturation"), "changed class": ("preference",)
}  # fmt: skip


@dataclass(frozen=True)
class Changes(TraceView):
    """For each layer a row, for each epoch a column: how far units drifted, where they jumped; births, deaths, and how training went.

    `found`: what `nissl.changes` found in this trace, if that is at hand.
    """

    found: Found | None = field(default=None, compare=False)

    def describe(self) -> Picture:
        self.moment()
        found = self.found if self.found is not None else changes(self.trace)
        axis = _Axis(sorted({epoch for scan in found.scans.values() for epoch in scan.epochs}))
        names = chosen(list(range(len(found.scans))), MOST_LAYERS)
        layers = [list(found.scans)[place] for place in names]
        marks = _course(self.trace, axis)
        heat, low = _heat(found, layers, axis)
        marks += heat
        counts, bottom = _counts(found, axis, low + 40)
        marks += counts + _key(found, bottom + 84)
        return Picture("What changed, when and where", _caption(found, layers, axis), 1600, bottom + 126, tuple(marks))


class _Axis:
    """Epochs as columns of equal width; of many, several share one."""

    def __init__(self, epochs: list[int]):
        self.epochs = epochs
        count = min(len(epochs), MOST_COLUMNS)
        self.columns = max(count, 1)
        self.of = {epoch: place * count // len(epochs) for place, epoch in enumerate(epochs)}
        self.step = WIDE / self.columns

    def x(self, epoch: int) -> float:
        """The middle of the epoch's column."""
        return LEFT + self.step * (self.of[epoch] + 0.5)

    def panel(self, top: float, height: float, y: tuple[float, float] = (0.0, 1.0)) -> Panel:
        return Panel(LEFT, top, WIDE, height, (-0.5, self.columns - 0.5), y)

    def ticks(self, panel: Panel) -> list[Mark]:
        return panel.x_ticks([(float(self.of[e]), e) for e in round_epochs(self.epochs, 14) if e in self.of])


def _course(trace: Any, axis: _Axis) -> list[Mark]:
    """Accuracy, and loss as a share of its largest, over the same columns."""
    panel = axis.panel(40, 96)
    marks: list[Mark] = [
        Text(0, panel.top - 30, "how training went", 18, bold=True, colour=INK),
        *panel.y_ticks((0.0, 0.5, 1.0), ("0 %", "50 %", "100 %")),
    ]
    lines = []
    for kind, dashed, colour in (("accuracy", False, INK), ("loss", True, MUTED)):
        known = next((name for name in (f"probe_{kind}", kind) if name in trace.scalars), None)
        if known is None:
            continue
        values = dict(zip(trace.epochs, trace.scalars[known].values.tolist(), strict=True))
        there = [(axis.of[e], values[e]) for e in axis.epochs if np.isfinite(values.get(e, np.nan))]
        if not there:
            continue
        points = np.array(there, float)
        most = float(np.abs(points[:, 1]).max()) or 1.0
        lines.append((known.replace("probe_", "held-out "), points, most if kind == "loss" else 1.0, dashed, colour))
    if not lines:
        marks.append(Text(LEFT + 12, panel.top + 48, "no loss or accuracy was recorded", 16, colour=MUTED))
    for place, (name, points, most, dashed, colour) in enumerate(lines):
        marks.append(Lines(panel.at(points[:, 0], np.clip(points[:, 1] / most, 0, 1)), colour, 2.4, dashed))
        said = name if "accuracy" in name else f"loss, 100 %: {lettering.number(most)}"
        marks.append(
            Lines(
                np.array([[LEFT + WIDE + 14, 64 + 34 * place], [LEFT + WIDE + 40, 64 + 34 * place]]),
                colour,
                2.4,
                dashed,
            )
        )
        marks.append(lettering.fitted(Text(LEFT + WIDE + 48, 64 + 34 * place, said, 15, colour=colour), 176))
    return marks


def _heat(found: Found, layers: list[str], axis: _Axis) -> tuple[list[Mark], float]:
    """Rows of layers, dark where units drifted far, their jumps as marks; and the lower edge."""
    top, high = 210.0, float(np.clip(420 / len(layers), 20, 64))
    table = np.full((len(layers), axis.columns), np.nan)
    for row, name in enumerate(layers):
        scan = found.scans[name]
        for epoch, value in zip(scan.epochs, scan.previous, strict=True):
            table[row, axis.of[epoch]] = np.fmax(table[row, axis.of[epoch]], value)
    seen = table[np.isfinite(table) & (table > 0)]
    low, most = (float(np.quantile(seen, 0.02)), float(seen.max())) if seen.size else (0.1, 1.0)
    low = min(low, most / 10)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.clip(np.nan_to_num(np.log(table / low) / np.log(most / low), nan=0.0, neginf=0.0), 0, 1)
    marks: list[Mark] = [
        Text(0, top - 22, "drift since the last epoch, of the layer's spread", 18, bold=True, colour=INK),
        Cells(LEFT, top, WIDE, high * len(layers), shares),
        *_scale(low, most, top, max(high * len(layers), 120)),
    ]
    edges = [[LEFT, top], [LEFT + WIDE, top], [LEFT + WIDE, top + high * len(layers)], [LEFT, top + high * len(layers)]]
    marks.append(Lines(np.array([*edges, edges[0]]), FAINT, 1.2))
    for row, name in enumerate(layers):
        y = top + high * (row + 0.5)
        marks.append(lettering.fitted(Text(LEFT - 12, y, name, 16, "right", colour=INK), LEFT - 14, keep_end=True))
        marks += _jumps(found, name, axis, y, high)
    bottom = top + max(high * len(layers), 120)
    return marks, bottom


def _jumps(found: Found, name: str, axis: _Axis, y: float, high: float) -> list[Mark]:
    """Dots for units, as large as their share of the layer; a line on the left for pace, a square for geometry."""
    marks: list[Mark] = []
    units, counts = found.scans[name].paths.units, dict[int, int]()
    for jump in found.moved[name]:
        counts[axis.of[jump.epoch]] = counts.get(axis.of[jump.epoch], 0) + 1
    for column, count in counts.items():
        size = min(0.8 * high, 22) * max(np.sqrt(min(count / units, 1)), 0.28)
        marks.append(Lines(np.array([[LEFT + axis.step * (column + 0.5), y]]), UNITS, float(size / 3.2)))
    for kind, dye in (("pace", PACE), ("geometry", WHOLE)):
        for who, jump in found.wholes[kind]:
            if who != name or jump.epoch not in axis.of:
                continue
            left = LEFT + axis.step * axis.of[jump.epoch]
            if kind == "pace":
                box = [left, y - 0.42 * high, 4, 0.84 * high]
            else:
                box = [left + axis.step / 2 - 5, y + 0.46 * high - 8, 10, 8]
            marks.append(Bars(np.array([box]), (dye,)))
    return marks


def _scale(low: float, most: float, top: float, high: float) -> list[Mark]:
    """What the greys mean."""
    x = LEFT + WIDE + 30
    high = min(high, 260)
    marks: list[Mark] = [Cells(x, top, 22, high, np.linspace(1, 0, 60)[:, None])]
    for share in (0.0, 0.5, 1.0):
        value = low * (most / low) ** share
        marks.append(Text(x + 32, top + 8 + (high - 16) * (1 - share), lettering.number(value), 15, colour=MUTED))
    return marks


def _counts(found: Found, axis: _Axis, top: float) -> tuple[list[Mark], float]:
    """Rows of bars: units born, dead or saturated, and of another class, at each column."""
    marks: list[Mark] = []
    rows = found.turned()
    for words, events in COUNTS.items():
        counts = np.zeros(axis.columns)
        for epoch, event, *_ in rows:
            if event in events and epoch in axis.of:
                counts[axis.of[epoch]] += 1
        most = max(float(counts.max()), 1.0)
        panel = axis.panel(top, 44, (0.0, most))
        marks += [Text(LEFT - 48, top + 22, words, 16, "right", colour=INK)]
        marks += panel.y_ticks((0, most), ("0", f"{most:,.0f}"))
        at = np.flatnonzero(counts)
        if len(at):
            low, heights = top + 44, 44 * counts[at] / most
            width = max(0.7 * axis.step, 1.0)
            left = LEFT + axis.step * (at + 0.5) - width / 2
            boxes = np.stack([left, low - heights, np.full(len(at), width), heights], -1)
            marks.append(Bars(boxes, (MUTED,) * len(at)))
        top += 66
    return marks + axis.ticks(axis.panel(top - 66, 44)), top - 22


def _key(found: Found, y: float) -> list[Mark]:
    marks: list[Mark] = []
    x = LEFT
    words = {
        "units jumped (size: their share)": UNITS,
        "the layer's pace jumped": PACE,
        "its examples lie otherwise to one another": WHOLE,
    }
    if found.alike.by == "classes":
        words = {name.replace("examples", "classes"): dye for name, dye in words.items()}
    for said, dye in words.items():
        sign: dict[str, Mark] = {
            UNITS: Lines(np.array([[x + 7, y]]), dye, 4.4), PACE: Bars(np.array([[x + 5, y - 9, 4, 18]]), (dye,)),
            WHOLE: Bars(np.array([[x + 2, y - 4, 10, 8]]), (dye,)),
        }  # fmt: skip
        marks += [sign[dye], Text(x + 22, y, said, 16, colour=INK)]
        x += 22 + lettering.width(said, 16) + 30
    return marks


def _caption(found: Found, layers: Sequence[str], axis: _Axis) -> str:
    scan = next(iter(found.scans.values()))
    column = "a recorded epoch" if axis.columns == len(axis.epochs) else "some epochs, by the largest"
    said = [
        (
            f"A row is a layer, a column {column}; drift of {scan.source}, root mean square over units, on a logarithmic scale"
        ),
        (
            f"a jump is a step beyond a unit's usual motion, at a false discovery rate of {100 * found.level:g} % over all units; events "
            f"last for {lettering.plural(found.lasting, 'recorded epoch')}"
        ),
        lettering.counted(len(layers), len(found.scans), "layer"),
    ]
    why: dict[str, list[str]] = {}
    for name, scan in found.scans.items():
        if scan.untested:
            why.setdefault(scan.untested, []).append(name)
    said += [
        f"{reason}{f' in {lettering.listed(names)}' if len(names) < len(found.scans) else ''}"
        for reason, names in why.items()
    ]
    return lettering.sentences(said)
