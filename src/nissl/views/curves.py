"""How well the network did, epoch by epoch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Lines, Mark, Text
from nissl.core.palette import MUTED, STAIN10
from nissl.core.view import Picture, TraceView
from nissl.views._plots.panel import Panel, apart, round_epochs, span, steps
from nissl.views._staining.lettering import number, sentences, width

WHO = {"": ("training", STAIN10[1]), "probe_": ("held out", STAIN10[0])}
WHAT = {"loss": "lower is better", "accuracy": "share of examples that were recognised"}


@dataclass(frozen=True)
class Curves(TraceView):
    """Loss and accuracy over the epochs, on the training batches and on the held-out probe."""

    def describe(self) -> Picture:
        self.moment()
        scalars = self.trace.scalars
        epochs = np.array(self.trace.epochs)
        found = {
            what: {
                who: scalars[who + what].values for who in WHO if who + what in scalars and _any(scalars[who + what])
            }
            for what in WHAT
        }
        there = [what for what in WHAT if found[what]]
        marks: list[Mark] = []
        for place, what in enumerate(there):
            marks += _panel(what, found[what], epochs, 80 + 800 * place, 1510 if len(there) == 1 else 710)
        if not there:
            marks.append(Text(800, 100, "no loss or accuracy in this trace", 20, "center", colour=MUTED))
        return Picture("Learning", self._caption(found, epochs), 1600, 560 if there else 200, tuple(marks))

    def _caption(self, found: dict[str, dict[str, NDArray[np.float64]]], epochs: NDArray[np.int64]) -> str:
        said = []
        for what, lines in found.items():
            for who, values in lines.items():
                seen = np.flatnonzero(np.isfinite(values))
                best = seen[(np.argmin if what == "loss" else np.argmax)(values[seen])]
                told = _told(what, values[best])
                said.append(f"{WHO[who][0]} {what} is best at epoch {epochs[best]} ({told})")
        if not said:
            return f"Nothing was judged: the trace has the scalars {', '.join(self.trace.scalars) or 'none'}."
        return sentences(
            [
                f"Each of the {len(epochs):,} recorded epochs is a point"
                if len(epochs) > 1
                else "One epoch is recorded",
                *said,
            ]
        )


def _any(values: object) -> bool:
    return bool(np.isfinite(np.asarray(values)).any())


def _told(what: str, value: float) -> str:
    return f"{100 * value:.1f} %" if what == "accuracy" else number(value)


def _panel(
    what: str, lines: dict[str, NDArray[np.float64]], epochs: NDArray[np.int64], left: float, room: float
) -> list[Mark]:
    """One measure: pale lines across, a line for each of training and probe, named at its end."""
    known = np.concatenate([values[np.isfinite(values)] for values in lines.values()])
    low = min(0.0, float(known.min())) if what == "loss" else float(known.min())
    ticks = steps(low, float(known.max()) if what == "loss" else 1.0)
    words = [f"{100 * tick:.0f} %" if what == "accuracy" else number(tick) for tick in ticks]
    panel = Panel(left, 80, room - 180, 390, span(epochs), (ticks[0], ticks[-1]))
    marks = [
        *panel.title(what, WHAT[what]),
        *panel.y_ticks(ticks, words),
        *panel.x_ticks([(e, e) for e in round_epochs(epochs.tolist(), 7)]),
    ]
    ends: dict[str, float] = {}
    for who, values in lines.items():
        seen = np.isfinite(values)
        points = panel.at(epochs[seen], values[seen])
        marks.append(Lines(points, WHO[who][1], 2.8))
        marks.append(Lines(points[-1:], WHO[who][1], 2.8))
        ends[who] = float(points[-1, 1])
    floor = panel.top + panel.height - 2
    for who, y in apart(ends, 26, floor).items():
        name, colour = WHO[who]
        x = panel.left + panel.width + 14
        marks.append(Text(x, y, name, 18, bold=True, colour=colour))
        told = _told(what, lines[who][np.isfinite(lines[who])][-1])
        marks.append(Text(x + width(name, 18, bold=True) + 8, y, told, 17, colour=MUTED))
    return marks
