"""Which class was taken for which, and how that changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Cells, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED, PAPER
from nissl.core.view import Picture, TraceView
from nissl.errors import NotHeard
from nissl.views._staining.lettering import counted, fitted, listed, sentences, width
from nissl.views._staining.responses import confusion, recalls

Counts = NDArray[np.float64]
RAMP = "#1d5b8f"
COUNTED, NAMED = 14, 40
"""Up to so many classes counts are written into the cells, and every class is named."""
ALONE = 880.0
"""How wide a single matrix is."""
OUTCOMES = ("found", "false alarm", "missed", "rightly not said")


@dataclass(frozen=True)
class Confusions(TraceView):
    """Confusion matrices: rows are what examples are, columns what the network said. `epochs`: which; None: three."""

    epochs: Sequence[int | str] | None = None

    def describe(self) -> Picture:
        self.moment()
        known = {epoch: confusion(self.trace, epoch) for epoch in self.trace.epochs}
        judged = [epoch for epoch, counts in known.items() if counts is not None]
        if not judged:
            raise NotHeard("No confusion counts are in this trace. Record with labels and the quantity 'predictions'.")
        wanted = self._telling(judged) if self.epochs is None else [self.moment(epoch) for epoch in self.epochs]
        shown = [(epoch, known[epoch]) for epoch in wanted]
        room = min(1600 / max(len(shown), 1), ALONE)
        marks: list[Mark] = []
        height = 0.0
        for place, (epoch, counts) in enumerate(shown):
            if counts is not None:
                drawn, bottom = self._matrix(epoch, counts, room * place, room, place == len(shown) - 1)
                marks += drawn
                height = max(height, bottom)
        return Picture(
            "Confusion", self._caption(wanted, judged, known[wanted[-1]]), room * len(shown), height, tuple(marks)
        )

    def _telling(self, judged: list[int]) -> list[int]:
        """The first, the last, and the one whose accuracy is nearest to halfway between them."""
        if len(judged) <= 3:
            return judged
        shares = np.array([_share_right(confusion(self.trace, epoch)) for epoch in judged])
        halfway = 1 + int(np.abs(shares[1:-1] - (shares[0] + shares[-1]) / 2).argmin())
        return [judged[0], judged[halfway], judged[-1]]

    def _matrix(self, epoch: int, counts: Counts, left: float, room: float, last: bool) -> tuple[list[Mark], float]:
        """One matrix with its title, names and, for the last, precision and recall; and where it ends below."""
        names = self.trace.classes
        several = counts.ndim == 3
        table = np.stack([counts[:, 1, 1], counts[:, 0, 1], counts[:, 1, 0], counts[:, 0, 0]], 1) if several else counts
        columns = OUTCOMES if several else names
        margin = 44 + min(110.0, max([60.0, *(width(name, 16) for name in names)]))
        over = min(150.0, max(width(name, 16) for name in columns))
        wide = min(room - margin - (78 if last or room < 800 else 20), 640)
        flat = over <= wide / len(columns) - 4
        x, y = left + margin, 100 + (20 if flat else over)
        across = wide / len(columns)
        down = wide / len(names) if not several else min(40.0, 640 / len(names))
        box = (x, y, across, down)
        share = np.divide(
            table, table.sum(1, keepdims=True), out=np.zeros_like(table), where=table.sum(1, keepdims=True) > 0
        )
        told = f"{100 * _share_right(counts):.1f} % {'of true labels found' if several else 'of examples right'}"
        if len(names) <= COUNTED and not _readable(table, across):
            told += "; cells in % of the row"
        marks: list[Mark] = [
            Text(x, 20, f"epoch {epoch}", 20, bold=True, colour=INK),
            Text(x, 46, told, 16, colour=MUTED),
            Text(x + wide / 2, 76, "what the network said", 16, "center", colour=MUTED),
            Text(left + 14, y + down * len(names) / 2, "what it is", 16, "center", colour=MUTED, upright=True),
            Cells(x, y, wide, down * len(names), np.sqrt(share), RAMP),
            _outline(x, y, wide, down * len(names)),
        ]
        marks += _names(names, columns, box, margin - 44, over, flat) + _counts(table, share, box)
        if last and len(names) <= NAMED:
            marks += _rates(counts, box, len(columns), several)
        return marks, y + down * len(names) + (44 if len(names) <= NAMED else 10)

    def _caption(self, wanted: Sequence[int], judged: Sequence[int], counts: Counts | None) -> str:
        names = self.trace.classes
        found = recalls(counts, len(names))
        probed = "the held-out probe" if "probe_confusion" in self.trace.names(None) else "the training batches"
        said = [
            f"Examples of {probed} by what they are (rows) and what the network said (columns)",
            "Colour is the share of the row, on a square-root scale; "
            + ("blank cells are 0" if len(names) <= COUNTED else f"counts are left out with {len(names)} classes"),
            f"{counted(len(wanted), len(judged), 'judged epoch')}"
            + (
                ": the first, the one nearest to halfway in accuracy, and the last"
                if self.epochs is None and len(judged) > 3
                else ""
            ),
        ]
        known = np.flatnonzero(np.isfinite(found))
        if len(known):
            worst = sorted(known, key=lambda k: (found[k], k))[: 3 if len(names) <= COUNTED else 6]
            said.append(
                f"Least recognised at epoch {wanted[-1]}: {listed(f'{names[k]} ({100 * found[k]:.0f} %)' for k in worst)}"
            )
        return sentences(said)


def _share_right(counts: Counts | None) -> float:
    """The share of examples recognised as what they are; of several labels at once, of those that are true."""
    if counts is None:
        return 0.0
    right, every = (np.trace(counts), counts.sum()) if counts.ndim == 2 else (counts[:, 1, 1].sum(), counts[:, 1].sum())
    return float(right / max(every, 1))


def _outline(x: float, y: float, width: float, height: float) -> Lines:
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    return Lines(np.array(corners), FAINT, 1.2)


def _names(
    rows: Sequence[str], columns: Sequence[str], box: tuple[float, ...], beside: float, over: float, flat: bool
) -> list[Mark]:
    """Class names at the left and above, as many as have room."""
    x, y, across, down = box
    marks: list[Mark] = [
        fitted(Text(x - 8, y + down * (place + 0.5), rows[place], 16, "right", colour=INK), beside)
        for place in range(0, len(rows), max(1, int(np.ceil(19 / down))))
    ]
    for place in range(0, len(columns), max(1, int(np.ceil(19 / across)))):
        at = x + across * (place + 0.5)
        if flat:
            marks.append(Text(at, y - 14, columns[place], 16, "center", colour=INK))
        else:
            word = fitted(Text(0, 0, columns[place], 16), over).words
            marks.append(Text(at, y - 8 - width(word, 16) / 2, word, 16, "center", colour=INK, upright=True))
    return marks


def _counts(table: Counts, share: Counts, box: tuple[float, ...]) -> list[Mark]:
    """The counts inside the cells; where they would be too small to read, the shares of the row in per cent."""
    x, y, across, down = box
    if len(table) > COUNTED:
        return []
    counted = _readable(table, across)
    said = table if counted else np.round(100 * share)
    longest = max(width(f"{count:,.0f}", 1.0) for count in said.ravel())
    size = min(18.0, 0.55 * down, 0.86 * across / longest)
    return [
        Text(
            x + across * (j + 0.5), y + down * (i + 0.5), f"{said[i, j]:,.0f}", size, "center",
            colour=PAPER if share[i, j] > 0.3 else INK,
        )
        for i, j in np.argwhere(said > 0)
    ]  # fmt: skip


def _readable(table: Counts, across: float) -> bool:
    return max(width(f"{count:,.0f}", 13.0) for count in table.ravel()) <= 0.86 * across


def _rates(counts: Counts, box: tuple[float, ...], columns: int, several: bool) -> list[Mark]:
    """Recall at the end of each row, precision under each column (beside recall where columns are no classes)."""
    x, y, across, down = box
    right, bottom = x + across * columns + 12, y + down * len(counts)
    marks: list[Mark] = []
    if down >= 17:
        marks.append(Text(right, y - 14, "recall %", 16, colour=MUTED))
        for place, value in enumerate(recalls(counts, len(counts))):
            marks.append(Text(right, y + down * (place + 0.5), _percent(value), 16, colour=INK))
    if across >= 24 and not several:
        said = counts.sum(0)
        right_ones = np.divide(np.diagonal(counts), said, out=np.full(len(said), np.nan), where=said > 0)
        for place, value in enumerate(right_ones):
            marks.append(Text(x + across * (place + 0.5), bottom + 18, _percent(value), 16, "center", colour=INK))
        marks.append(Text(x - 8, bottom + 18, "precision %", 16, "right", colour=MUTED))
    return marks


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if np.isfinite(share) else "–"
