"""What sets each group of inputs apart in a layer: groups by units."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Cells, Lines, Mark, Text
from nissl.core.palette import FAINT, INK, MUTED
from nissl.core.profiles import Profiles
from nissl.core.view import Picture, View
from nissl.errors import NotHeard, Unsupported
from nissl.views._plots.scale import scale, spaced, thinned
from nissl.views._staining.lettering import counted, fitted, number, plural, sentences, width

Array = NDArray[Any]
LEFT, RIGHT, TOP, HIGH = (250.0, 420.0), 1440.0, 66.0, 560.0
"""Names have as much room at the left as they take."""
MOST = 600
"""Up to so many units; of more, those that set groups apart most."""
NUMBERED = 40
ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Contrasts(View):
    """Rows are groups, columns units, by the group that each sets apart most; colours are contrasts on one scale about zero.

    `of`: "contrast", in the layer's own measure, or "effect", in standard deviations. `against`: "others" or "all"; `within`: only
    with groups of the same level of this factor.
    """

    profiles: Profiles
    layer: str
    of: str = "contrast"
    against: str = "others"
    within: str | None = None

    def describe(self) -> Picture:
        if self.of not in ("contrast", "effect") or self.against == "each":
            raise Unsupported(
                "Contrasts shows a contrast or an effect against others or all, one for each group and unit."
            )
        table = self._measured(self.of)
        units = np.flatnonzero(np.isfinite(table).any(0))
        if not len(units):
            raise NotHeard(f"No two groups of {self.layer} can be compared: give at least two groups of two examples.")
        q = self._measured("significance")
        order = _ordered(np.nan_to_num(table[:, units], posinf=0, neginf=0))
        shown = units[order]
        finite = np.abs(table[:, shown][np.isfinite(table[:, shown])])
        most = float(finite.max(initial=0)) or 1.0
        marks = [
            *self._field(table[:, shown], most),
            *self._rows((q < ALPHA).sum(1), np.asarray(np.isfinite(table).any(1))),
            *self._columns(shown),
        ]
        title = f"What sets {self._many()} apart in {self.layer}"
        words = "effect, standard deviations" if self.of == "effect" else "contrast"
        marks += scale(
            self._left, TOP + self._high() + 66, 420, "change", (-most, 0.0, most), f"{words}; white: no difference"
        )
        return Picture(title, self._caption(table, q, len(shown)), 1600, TOP + self._high() + 120, tuple(marks))

    def _measured(self, name: str) -> Array:
        found = self.profiles.measure(self.layer, name, against=self.against, within=self.within)
        return np.asarray(found["q" if name == "significance" else name].values)

    def _many(self) -> str:
        by = " and ".join(self.profiles.factors)
        return f"{plural(len(self.profiles.groups), 'group')} by {by}"

    @property
    def _left(self) -> float:
        rows = zip(self.profiles.groups, self.profiles.counts, strict=True)
        return float(np.clip(max(width(name, 16) + width(f"{count:,}", 15) for name, count in rows) + 32, *LEFT))

    @property
    def _wide(self) -> float:
        return RIGHT - self._left

    def _high(self) -> float:
        return min(HIGH, 40.0 * len(self.profiles.groups))

    def _field(self, table: Array, most: float) -> list[Mark]:
        shares = 0.5 + np.clip(np.nan_to_num(table, posinf=most, neginf=-most) / most, -1, 1) / 2
        high, left = self._high(), self._left
        frame = np.array([(left, TOP), (RIGHT, TOP), (RIGHT, TOP + high), (left, TOP + high), (left, TOP)])
        return [Cells(left, TOP, self._wide, high, shares, "change"), Lines(frame, FAINT, 1.2)]

    def _rows(self, significant: Array, compared: Array) -> list[Mark]:
        left, down = self._left, self._high() / len(self.profiles.groups)
        marks: list[Mark] = [
            Text(left - 12, TOP - 22, "group, examples", 15, "right", colour=MUTED),
            Text(RIGHT + 12, TOP - 22, "units, q < 0.05", 15, colour=MUTED),
        ]
        for place in spaced(len(self.profiles.groups), down, 18):
            middle, count = TOP + down * (place + 0.5), f"{int(self.profiles.counts[place]):,}"
            marks.append(Text(left - 12, middle, count, 15, "right", colour=MUTED))
            name = Text(left - 24 - width(count, 15), middle, self.profiles.groups[place], 16, "right", colour=INK)
            marks.append(fitted(name, name.x - 8))
            if compared[place]:
                marks.append(Text(RIGHT + 12, middle, f"{int(significant[place]):,}", 15, colour=MUTED))
            else:
                words = Text(
                    (left + RIGHT) / 2, middle, "no other group to compare it with", 15, "center", colour=MUTED
                )
                marks.append(words)
        return marks

    def _columns(self, shown: Array) -> list[Mark]:
        left, y, across = self._left, TOP + self._high() + 18, self._wide / len(shown)
        what = f"{self.profiles.answer(self.layer).layer.unit}s"
        if len(shown) > NUMBERED:
            words = f"{len(shown):,} {what}, by the group that each sets apart most"
            return [Text((left + RIGHT) / 2, y, words, 15, "center", colour=MUTED)]
        marks: list[Mark] = [Text(left - 12, y, what[:-1], 15, "right", colour=MUTED)]
        return marks + [
            Text(left + across * (place + 0.5), y, f"{unit}", 14, "center", colour=MUTED)
            for place, unit in enumerate(shown.tolist())
        ]

    def _caption(self, table: Array, q: Array, shown: int) -> str:
        made = self.profiles.recipe
        tests = int(np.isfinite(q).sum())
        what = {"others": "the mean of the other groups", "all": "the mean of all groups"}[self.against]
        strongest = float(np.nanmax(np.abs(np.where(np.isfinite(table), table, np.nan))))
        said = [
            f"Each unit's mean answer to a group less {what}" + (f" of the same {self.within}" if self.within else ""),
            f"{counted(shown, table.shape[1], self.profiles.answer(self.layer).layer.unit)}, the strongest {self.of} is {number(strongest)}",
            f"{int((q < ALPHA).sum()):,} of {tests:,} contrasts are significant (Welch's test, false discovery rate 5 %)",
            f"{int(self.profiles.counts.sum()):,} examples",
        ]
        alike = int((np.nan_to_num(table) == 0).all(0).sum())
        if alike:
            said.append(f"{alike:,} units answer alike to all groups, and are white")
        if made.get("align") and self.profiles.answer(self.layer).aligned:
            said.append(f"values were aligned by the gradient of the {made['align']}")
        rows = len(self.profiles.groups)
        return sentences(said + thinned(rows, self._high() / rows, 18))


def _ordered(table: Array) -> Array:
    """Columns by the row in which they are largest, the largest first, those without a difference last; of too many, the largest."""
    chosen = np.arange(table.shape[1])
    if len(chosen) > MOST:
        chosen = np.sort(np.argsort(-np.abs(table).max(0), kind="stable")[:MOST])
    some = table[:, chosen]
    owner = np.where((some != 0).any(0), some.argmax(0), len(some))
    return chosen[np.lexsort((-some.max(0), owner))]
