"""How structures come about while the network learns."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import traced
from nissl.core.events import SETTLED, History
from nissl.core.marks import Bars, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED, STAIN10
from nissl.core.view import Picture, TraceView
from nissl.errors import BadValue
from nissl.views._plots.panel import Panel, apart, round_epochs, span
from nissl.views._staining import legend
from nissl.views._staining.lettering import counted, number, plural, sentences, width

Floats = NDArray[np.float64]
NEAR = 0.02
"""Accuracy counts as reached when it is this near to its last."""
KINDS = {"birth": "units born into structures", "death": "units died out of them", "freeze": "structures settled"}


@dataclass(frozen=True)
class Emergence(TraceView):
    """What each epoch's structures have in common with the last ones, beside held-out accuracy; births, deaths, settling.

    A structure is the `size` of all units that come first in what they add to a class by `rank`; what doesn't last for
    `lasting` recorded epochs is no event. Wants a trace with the quantity "structures".
    """

    size: float = 0.1
    rank: str = "contrast"
    lasting: int = 3

    def describe(self) -> Picture:
        self.moment()
        if not isinstance(self.lasting, int) or isinstance(self.lasting, bool) or self.lasting < 1:
            raise BadValue(f"lasting={self.lasting!r}: for how many recorded epochs something must stay, from 1.")
        seen = _Seen(self.trace, self.size, self.rank, self.lasting)
        inks = STAIN10 if len(seen.names) <= len(STAIN10) else ()
        marks = _likeness(seen, inks) + _events(seen)
        if inks:
            marks.append(Text(0, 592, "classes", 16, colour=MUTED))
            marks += legend.chips(seen.names, inks[: len(seen.names)], y=622)
        return Picture("How structures come about", self._caption(seen), 1600, 640 if inks else 580, tuple(marks))

    def _caption(self, seen: "_Seen") -> str:
        share = 100 * seen.share
        said = [
            (
                f"A class's structure is the {number(share)} % of units that add most to it by {self.rank} (attribution patching on "
                f"{traced.examples(self.trace)}); likeness is the share of units in this epoch's or the last one's structure that "
                "are in both, so that at the last it is 1 by definition"
            ),
            (
                "The thick line is the mean over classes, thin lines are classes"
                if len(seen.names) > 1
                else "There is one class"
            ),
        ]
        if len(seen.epochs) < 2:
            return sentences([*said, "one epoch holds structures: there is nothing to compare it with"])
        reached = seen.reached
        if reached is not None:
            said.append(
                f"When held-out accuracy first is within {100 * NEAR:.0f} points of its last, at epoch {reached[0]}, structures have "
                f"{100 * reached[1]:.0f} % in common with the last ones"
            )
        counts = {kind: sum(row[1] == kind for row in seen.rows) for kind in KINDS}
        said += [
            (
                f"a unit is born into a structure when it stays for {plural(self.lasting, 'recorded epoch')}, and dies out of it when "
                f"the last such stay ends: {plural(counts['birth'], 'birth')}, {plural(counts['death'], 'death')}"
            ),
            (
                f"{counts['freeze']} of {plural(len(seen.names), 'structure')} settled (from then on at least {SETTLED:g} like the "
                "last), which tells nothing of epochs to come"
            ),
            counted(len(seen.epochs), len(self.trace.epochs), "epoch"),
        ]
        return sentences(said)


class _Seen:
    """What the trace holds of it."""

    def __init__(self, trace: Any, size: float, rank: str, lasting: int):
        wanted = traced.checked(size, rank)
        self.epochs = traced.epochs(trace)
        layers = traced.layers(trace)
        self.names: tuple[str, ...] = trace.spec(layers[0], traced.SCORES).labels["class"]
        history = History(trace, self.epochs, wanted, rank, lasting)
        self.likeness: Floats = history.likeness
        self.rows = list(history.rows(self.names))
        total = sum(trace.units(name) for name in layers)
        self.share = wanted.count(total) / total
        known = trace.scalars.get("probe_accuracy")
        by_epoch = {} if known is None else dict(zip(trace.epochs, known.values.tolist(), strict=True))
        self.accuracy: Floats = np.array([by_epoch.get(epoch, np.nan) for epoch in self.epochs])

    @cached_property
    def mean(self) -> Floats:
        known = np.isfinite(self.likeness)
        sums = np.where(known, self.likeness, 0).sum(1)
        return np.divide(sums, known.sum(1), out=np.full(len(sums), np.nan), where=known.any(1))

    @cached_property
    def reached(self) -> tuple[int, float] | None:
        """The first epoch as accurate as the last, near enough, and how like its structures are to the last ones."""
        found = np.flatnonzero(self.accuracy >= self.accuracy[-1] - NEAR)
        return (self.epochs[found[0]], float(self.mean[found[0]])) if len(found) else None


def _likeness(seen: _Seen, inks: tuple[str, ...]) -> list[Mark]:
    """Lines of classes, their mean, accuracy, and what random structures would have in common."""
    panel = Panel(80, 90, 600, 400, span(seen.epochs))
    ticks = (0.0, 0.25, 0.5, 0.75, 1.0)
    marks = [
        *panel.title("likeness to the last structures", "share of units in common, beside held-out accuracy"),
        *panel.y_ticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks]),
        *panel.x_ticks([(e, e) for e in round_epochs(seen.epochs, 7)]),
    ]
    for place in range(len(seen.names)):
        marks += _line(panel, seen.epochs, seen.likeness[:, place], inks[place] if inks else FAINT, 1.3)
    chance = seen.share / (2 - seen.share)
    side = [panel.left, panel.left + panel.width]
    level = float(panel.at(seen.epochs[0], chance)[1])
    marks.append(Lines(np.array([[side[0], level], [side[1], level]]), MUTED, 1.2, dashed=True))
    beside = level - 13 if level > panel.top + 40 else level + 13
    marks.append(Text(side[1] - 8, beside, "random structures", 16, "right", colour=MUTED))
    lines = {"structures": (seen.mean, INK, False), "accuracy": (seen.accuracy, MUTED, True)}
    ends = {}
    for name, (values, colour, dashed) in lines.items():
        if np.isfinite(values).any():
            marks += _line(panel, seen.epochs, values, colour, 3.2, dashed=dashed)
            ends[name] = float(panel.at(0, values[np.isfinite(values)][-1])[1])
    for name, y in apart(ends, 26, panel.top + panel.height - 40).items():
        values, colour, _ = lines[name]
        marks.append(Text(side[1] + 14, y, name, 18, bold=True, colour=colour))
        told = f"{100 * values[np.isfinite(values)][-1]:.0f} %"
        marks.append(Text(side[1] + 22 + width(name, 18, bold=True), y, told, 17, colour=MUTED))
    return marks


def _line(
    panel: Panel, epochs: list[int], values: Floats, colour: str, wide: float, *, dashed: bool = False
) -> list[Mark]:
    seen = np.isfinite(values)
    points = panel.at(np.array(epochs)[seen], values[seen])
    return [Lines(part, colour, wide, dashed) for part in (points, points[-1:]) if len(part)]


def _events(seen: _Seen) -> list[Mark]:
    """For each kind a row of bars: how many at each epoch."""
    marks: list[Mark] = []
    gap = float(np.diff(seen.epochs).min(initial=10**9)) if len(seen.epochs) > 1 else 1.0
    first, last = seen.epochs[0] - gap / 2, seen.epochs[-1] + gap / 2
    for place, (kind, words) in enumerate(KINDS.items()):
        counts = [sum(row[0] == epoch and row[1] == kind for row in seen.rows) for epoch in seen.epochs]
        top = max([*counts, 1])
        panel = Panel(1020, 90 + 148 * place, 560, 104, (first, last), (0, top))
        marks.append(Text(panel.left, panel.top - 22, words, 18, bold=True, colour=INK))
        marks += panel.y_ticks((0, top), ("0", f"{top:,}"))
        wide = max(0.72 * gap * panel.width / (last - first), 1.0)
        shown = [(e, n) for e, n in zip(seen.epochs, counts, strict=True) if n]
        if shown:
            at = panel.at(*np.array(shown, float).T)
            low = panel.top + panel.height
            boxes = np.stack([at[:, 0] - wide / 2, at[:, 1], np.full(len(at), wide), low - at[:, 1]], -1)
            marks.append(Bars(boxes, (MUTED,) * len(at), 1))
        else:
            marks.append(Text(panel.left + 280, panel.top + 52, "none that lasted", 16, "center", colour=MUTED))
    return marks + panel.x_ticks([(e, e) for e in round_epochs(seen.epochs, 7)])
