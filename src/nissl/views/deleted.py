"""What deleting each class's structure leaves of every class."""

from dataclasses import dataclass

import numpy as np

from nissl.core.deletions import Deletions
from nissl.core.marks import Bars, Cells, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED, PAPER
from nissl.core.view import Picture, View
from nissl.views._staining.lettering import fitted, sentences, width

RAMP = "#1d5b8f"
COUNTED = 20
"""Up to so many classes numbers are written into the cells."""


@dataclass(frozen=True, eq=False)
class Deleted(View):
    """A matrix: rows are the class whose structure is deleted, columns the class that is then asked for."""

    deletions: Deletions

    def describe(self) -> Picture:
        table = self.deletions
        rows, columns = table.deleted, table.classes
        margin = 60 + min(150.0, max(width(name, 16) for name in rows))
        over = min(150.0, max(width(name, 16) for name in columns))
        wide = min(1600 - margin - 220, 760.0)
        across, down = wide / len(columns), min(wide / len(columns), 700 / (len(rows) + 1))
        flat = over <= across - 4
        x, y = margin, 70 + (20 if flat else over)
        shares = np.nan_to_num(np.concatenate([table.intact[None], table.accuracy]))
        gap = 14.0
        marks: list[Mark] = [
            Text(x + wide / 2, 30, "share of each class that is recognised", 17, "center", colour=MUTED),
            Cells(x, y, wide, down, shares[:1], RAMP),
            Cells(x, y + down + gap, wide, down * len(rows), shares[1:], RAMP),
            Text(x - 10, y + down / 2, "intact", 16, "right", bold=True, colour=INK),
            Text(20, y + down + gap + down * len(rows) / 2, "deleted", 17, "center", colour=MUTED, upright=True),
        ]
        for place, name in enumerate(columns):
            if place % max(1, int(np.ceil(19 / across))) == 0:
                marks.append(_above(name, x + across * (place + 0.5), y, over, flat))
        for place in range(0, len(rows), max(1, int(np.ceil(19 / down)))):
            middle = y + down * (place + 1.5) + gap
            marks.append(fitted(Text(x - 10, middle, rows[place], 16, "right", colour=INK), margin - 60))
        if len(columns) <= COUNTED:
            marks += self._numbers(x, y, across, down, gap)
        marks += self._sizes(x + wide + 16, y, down, gap)
        bottom = y + down * (len(rows) + 1) + gap
        marks.append(_outline(x, y + down + gap, wide, down * len(rows)))
        return Picture(
            "What deleting each structure leaves", self._caption(), x + wide + 210, bottom + 30, tuple(marks)
        )

    def _numbers(self, x: float, y: float, across: float, down: float, gap: float) -> list[Mark]:
        marks: list[Mark] = []
        size = min(17.0, 0.5 * down, 0.3 * across)
        for row, values in enumerate([self.deletions.intact, *self.deletions.accuracy]):
            middle = y + down * (row + 0.5) + (gap if row else 0)
            for place, value in enumerate(values):
                said = f"{100 * value:.0f}" if np.isfinite(value) else "–"
                own = row and self.deletions.deleted[row - 1] == self.deletions.classes[place]
                ink = PAPER if np.nan_to_num(value) > 0.45 else INK
                marks.append(Text(x + across * (place + 0.5), middle, said, size, "center", bool(own), ink))
        return marks if size >= 11.5 else []

    def _sizes(self, x: float, y: float, down: float, gap: float) -> list[Mark]:
        """How many units each deletion took, as bars."""
        units, total = self.deletions.units, self.deletions.total
        marks: list[Mark] = [Text(x, y + down / 2, "units deleted", 16, colour=MUTED)]
        if down < 17:
            return marks
        for place, count in enumerate(units):
            middle = y + down * (place + 1.5) + gap
            box = np.array([[x, middle - 4, 90, 8], [x, middle - 4, max(90 * count / total, 0.5), 8]])
            marks.append(Bars(box, (FAINT, RAMP), 3))
            marks.append(Text(x + 102, middle, f"{count:,}", 16, colour=INK))
        return marks

    def _caption(self) -> str:
        table = self.deletions
        where = "examples that the structures were not found with" if table.held_out else (
            "the same examples that the structures were found with, so that it is more favourable than it will be on others"
        )  # fmt: skip
        least, most = min(table.units), max(table.units)
        taken = f"{most:,}" if least == most else f"{least:,} to {most:,}"
        return sentences(
            [
                "Rows: the class whose structure is deleted; columns: the class that is asked for; numbers are per cent",
                f"measured on {where}",
                (
                    f"a class keeps {100 * table.target:.1f} % on average when its own structure is deleted, and "
                    f"{100 * table.others:.1f} % when another's is; intact {100 * float(np.nanmean(table.intact)):.1f} %"
                ),
                f"a deletion takes {taken} of {table.total:,} units",
            ]
        )


def _above(name: str, at: float, y: float, over: float, flat: bool) -> Text:
    if flat:
        return Text(at, y - 14, name, 16, "center", colour=INK)
    word = fitted(Text(0, 0, name, 16), over).words
    return Text(at, y - 8 - width(word, 16) / 2, word, 16, "center", colour=INK, upright=True)


def _outline(x: float, y: float, wide: float, high: float) -> Lines:
    return Lines(np.array([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)]), FAINT, 1.2)
