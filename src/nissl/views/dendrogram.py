"""Which groups of inputs a layer treats alike."""

from dataclasses import dataclass

import numpy as np

from nissl.core.kinship import Kinship
from nissl.core.marks import Cells, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED
from nissl.core.view import Picture, View
from nissl.errors import Unsupported
from nissl.views._plots.scale import scale, spaced, thinned
from nissl.views._staining.lettering import fitted, number, plural, sentences, width

WIDTH, TOP, SIDE = 1600.0, 60.0, 640.0
LEFT, GAP = (250.0, 350.0), (90.0, 260.0)
"""Room for names before the rows and before the tree, as wide as they take."""


@dataclass(frozen=True, eq=False)
class Dendrogram(View):
    """Groups by groups, in the order of the tree at the right, which joins first what is nearest."""

    kin: Kinship

    def describe(self) -> Picture:
        if len(self.kin.groups) < 2:
            raise Unsupported("A dendrogram joins groups: there must be two at least.")
        order = list(self.kin.order)
        left = self._left()
        table = self.kin.distances[np.ix_(order, order)]
        alike = self.kin.by != "euclidean"
        most = float(table.max()) or 1.0
        shares = 1 - table / 2 if alike else 1 - table / most
        ramp, ends = ("change", (-1.0, 0.0, 1.0)) if alike else ("ink", (most, 0.0))
        marks: list[Mark] = [Cells(left, TOP, SIDE, SIDE, np.clip(shares, 0, 1), ramp), *self._names(order, left)]
        marks += self._tree(order, left + SIDE + self._gap())
        words = self.kin.by if alike else "Euclidean distance"
        marks += scale(left, TOP + SIDE + 50, 300, ramp, ends, words)
        title = f"Which groups {self.kin.layer} treats alike"
        return Picture(title, self._caption(table), WIDTH, TOP + SIDE + 110, tuple(marks))

    def _left(self) -> float:
        rows = zip(self.kin.groups, self.kin.counts, strict=True)
        return float(np.clip(max(width(name, 16) + width(f"{count:,}", 15) for name, count in rows) + 32, *LEFT))

    def _gap(self) -> float:
        return float(np.clip(max(width(name, 15) for name in self.kin.groups) + 20, *GAP))

    def _names(self, order: list[int], left: float) -> list[Mark]:
        down = SIDE / len(order)
        marks: list[Mark] = [Text(left - 12, TOP - 22, "group, examples", 15, "right", colour=MUTED)]
        for place in spaced(len(order), down, 18):
            y, count = TOP + down * (place + 0.5), f"{self.kin.counts[order[place]]:,}"
            marks.append(Text(left - 12, y, count, 15, "right", colour=MUTED))
            name = Text(left - 24 - width(count, 15), y, self.kin.groups[order[place]], 16, "right", colour=INK)
            marks.append(fitted(name, name.x - 8))
            beside = Text(left + SIDE + 10, y, self.kin.groups[order[place]], 15, colour=INK)
            marks.append(fitted(beside, self._gap() - 16))
        return marks

    def _tree(self, order: list[int], left: float) -> list[Mark]:
        """Each join as a bracket: back to its two parts, across at its distance."""
        tree, down = WIDTH - left - 60, SIDE / len(order)
        far = float(self.kin.joins[:, 2].max()) or 1.0
        at = {leaf: (0.0, TOP + down * (place + 0.5)) for place, leaf in enumerate(order)}
        marks: list[Mark] = []
        for step, (one, other, distance, _) in enumerate(self.kin.joins.tolist()):
            (x1, y1), (x2, y2) = at[int(one)], at[int(other)]
            x = tree * distance / far
            points = np.array([(left + x1, y1), (left + x, y1), (left + x, y2), (left + x2, y2)])
            marks.append(Lines(points, INK, 1.8))
            at[len(order) + step] = (x, (y1 + y2) / 2)
        bottom = TOP + SIDE + 12
        marks.append(Lines(np.array([(left, bottom), (left + tree, bottom)]), FAINT, 1.2))
        for share in (0.0, 0.5, 1.0):
            word = Text(left + tree * share, bottom + 18, number(far * share), 15, "center", colour=MUTED)
            marks.append(word)
        how = "1 − " + self.kin.by if self.kin.by != "euclidean" else "Euclidean distance"
        return [
            *marks,
            Text(
                left + tree / 2, bottom + 44, f"distance at which groups are joined, {how}", 15, "center", colour=MUTED
            ),
        ]

    def _caption(self, table: np.ndarray) -> str:
        apart = table + np.where(np.eye(len(table), dtype=bool), np.inf, 0)
        one, other = np.unravel_index(apart.argmin(), apart.shape)
        names = self.kin.named
        said = [
            f"{plural(len(names), 'group')} compared by what the layer's units make of them, columns in the order of rows",
            f"nearest are {names[one]} and {names[other]}, {number(float(apart.min()))} apart",
            "groups are joined by average distances, and ordered so that neighbours are as near as the joins allow",
        ]
        return sentences(said + thinned(len(names), SIDE / len(names), 18))
