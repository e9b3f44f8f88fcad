"""Units as paths through training: faint at the first epoch, deep at the last, in the colour of the class they answer in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Dots, Lines, Mark, Text
from nissl.core.ordering import neighbourhood
from nissl.core.palette import COUNTERSTAIN, INK, MUTED, STAIN10, absorb, hexadecimal, rgb
from nissl.core.trails import Trails as Found
from nissl.core.view import Picture, View
from nissl.errors import BadValue
from nissl.views._plots.panel import chosen
from nissl.views._samples.field import Field
from nissl.views._staining import lettering

Array = NDArray[Any]
WIDTH, SIDE, KEY = 1600.0, 1000.0, 330.0
PANELS, FAINTEST, SHADES = 6, 0.3, 12
"""Layers, the depth of the first epoch, and how many depths are told apart."""


@dataclass(frozen=True, eq=False)
class Trails(View):
    """Of `nissl.trails`. `colour`: by the class answered most in the end ("class"), or by epoch alone; None: by class where it is known.

    `layers`: a panel each, on the same axes; None: all, up to six.
    """

    trails: Found
    colour: Literal["class", "epoch"] | None = None
    layers: Sequence[str] | None = None

    def describe(self) -> Picture:
        if self.colour not in (None, "class", "epoch"):
            raise BadValue(f"colour={self.colour!r}: class or epoch.")
        known = list(self.trails.layers)
        names = list(self.layers) if self.layers is not None else chosen(range(len(known)), PANELS)
        shown = [name if isinstance(name, str) else known[name] for name in names]
        if not shown:
            raise BadValue("layers is empty: name at least one, or give None for all.")
        places = [self.trails.positions[:, self.trails.of(name), :2] for name in shown]
        across = min(len(shown), 3)
        room, gap, top = WIDTH - KEY - 50, 26.0, 40.0
        side = min(SIDE, (room - gap * (across - 1)) / across)
        marks: list[Mark] = []
        for number, (name, one) in enumerate(zip(shown, places, strict=True)):
            left, up = (side + gap) * (number % across), top + (side + gap + top) * (number // across)
            field = Field.over(left, up, side, [self.trails.positions[..., :2].reshape(-1, 2)])
            marks += self._panel(field, name, one)
        high = top + (side + gap + top) * ((len(shown) - 1) // across) + side
        keys, low = self._key(across * (side + gap) + 24, shown)
        return Picture(self._title(), self._caption(shown), WIDTH, max(high, low), tuple(marks + keys))

    def _panel(self, field: Field, name: str, places: Array) -> list[Mark]:
        where = self.trails.of(name)
        units = lettering.plural(places.shape[1], "unit")
        marks: list[Mark] = [
            lettering.fitted(Text(field.left, field.top - 20, name, 20, bold=True, colour=INK), field.side - 120, keep_end=True),
            Text(field.left + field.side, field.top - 20, units, 16, "right", colour=MUTED),
        ]  # fmt: skip
        owner, share = self._owner[where], field.side / SIDE
        width = float(np.clip(22 / np.sqrt(places.shape[1]), 0.7, 2.2)) * max(share, 0.6)
        marks += field.frame()
        marks += self._lines(field, places, owner, width)
        size = float(np.clip(110 / np.sqrt(places.shape[1]), 4, 11)) * max(share, 0.6)
        none = np.full(len(owner), -1)
        if len(places) > 1:
            marks.append(
                Dots(
                    field.at(places[0]), np.zeros(len(owner), int), none, (self._shade(COUNTERSTAIN, 0.6),), 0.6 * size
                )
            )
        marks.append(Dots(field.at(places[-1]), owner, none, self._dyes, size))
        return marks

    def _lines(self, field: Field, places: Array, owner: Array, width: float) -> list[Mark]:
        """From each epoch to the next, a mark for each depth and dye; the last epochs on top."""
        epochs, marks = len(places), []
        depth = np.linspace(0, SHADES - 1, max(epochs - 1, 1)).round().astype(int)
        drawn = np.stack([field.at(one) for one in places])
        for shade in np.unique(depth):
            steps = np.flatnonzero(depth[: epochs - 1] == shade)
            for dye in np.unique(owner) if len(steps) else ():
                part = drawn[steps[0] : steps[-1] + 2, owner == dye]
                broken = np.concatenate([part, np.full((1, *part.shape[1:]), np.nan)]).transpose(1, 0, 2).reshape(-1, 2)
                marks.append(
                    Lines(broken, self._shade(self._dyes[dye], FAINTEST + (1 - FAINTEST) * shade / (SHADES - 1)), width)
                )
        return list[Mark](marks)

    def _shade(self, dye: str, share: float) -> str:
        return hexadecimal(absorb(rgb("#ffffff"), [share], (dye,)))

    @property
    def _classes(self) -> bool:
        return self.colour != "epoch" and self.trails.owners is not None

    @property
    def _dyes(self) -> tuple[str, ...]:
        """Of the classes, and at the end of units without one."""
        return (*STAIN10[: min(len(self.trails.groups), len(STAIN10))], COUNTERSTAIN) if self._classes else (INK,)

    @property
    def _owner(self) -> Array:
        owners = self.trails.owners
        if not self._classes or owners is None:
            return np.zeros(self.trails.units, int)
        return np.where(owners >= 0, owners % (len(self._dyes) - 1), len(self._dyes) - 1)

    def _key(self, left: float, shown: Sequence[str]) -> tuple[list[Mark], float]:
        """What colours and dots mean, and where it ends."""
        marks, y = self._owners(left, shown) if self._classes else (list[Mark](), 20.0)
        first, last = self.trails.epochs[0], self.trails.epochs[-1]
        marks.append(Text(left, y, "epoch", 17, bold=True, colour=INK))
        dye = STAIN10[0] if self._classes else INK
        if last > first:
            shades = FAINTEST + (1 - FAINTEST) * np.linspace(0, 1, SHADES)
            strip, wide = [self._shade(dye, float(share)) for share in shades], 220.0 / SHADES
            for number, colour in enumerate(strip):
                marks.append(
                    Lines(np.array([[left + wide * number, y + 30], [left + wide * (number + 1), y + 30]]), colour, 6.0)
                )
            marks.append(Text(left, y + 54, f"{first}", 15, "left", colour=MUTED))
            marks.append(Text(left + 220, y + 54, f"{last}", 15, "right", colour=MUTED))
            y += 94
            marks += _sign(left, y, self._shade(COUNTERSTAIN, 0.6), 6.0, f"a unit at epoch {first}")
        marks += _sign(left, y + 32, dye, 10.0, f"the unit at epoch {last}")
        return marks, y + 56

    def _owners(self, left: float, shown: Sequence[str]) -> tuple[list[Mark], float]:
        """Classes, and how many units answer each most; and where they end."""
        marks: list[Mark] = [Text(left, 20, "most answered in the end", 17, bold=True, colour=INK)]
        owners = np.concatenate([np.asarray(self.trails.owners)[self.trails.of(name)] for name in shown])
        y = 20.0
        for number, name in enumerate(self.trails.groups[: len(self._dyes) - 1]):
            y += 34
            marks += _entry(left, y, self._dyes[number], name, int((owners == number).sum()))
        beyond = len(self.trails.groups) - len(STAIN10)
        if beyond > 0:
            y += 34
            marks.append(Text(left, y, f"{beyond:,} more share these colours", 15, colour=MUTED))
        if (owners < 0).any():
            y += 34
            marks += _entry(left, y, self._dyes[-1], "all alike", int((owners < 0).sum()))
        return marks, y + 60

    def _title(self) -> str:
        names = list(self.trails.layers)
        where = lettering.layer(names[0]) if len(names) == 1 else lettering.plural(len(names), "layer")
        return f"Units of {where} on their way through {lettering.plural(len(self.trails.epochs), 'epoch')}"

    def _caption(self, shown: Sequence[str]) -> str:
        how, good = self.trails.recipe, self.trails.quality
        told = (
            f"{how['measure']} of responses"
            if how.get("measure") in ("contrast", "mean")
            else how.get("measure", "numbers")
        )
        said = [
            f"At an epoch units lie near their like ({told}, {how['distance']} distance), and near what they were and will be; by {how['by']}",
            *([lettering.counted(len(shown), len(self.trails.layers), "layer")] if len(self.trails.layers) > 1 else []),
            *(["Panels have the same axes"] if len(shown) > 1 else []),
            *(["Two of three dimensions are drawn"] if self.trails.positions.shape[2] > 2 else []),
        ]  # fmt: skip
        words = {
            "kept": f"nearest {lettering.spelled(neighbourhood(self.trails.units))} of an epoch kept",
            "step": "step from epoch to epoch",
            "follows": "steps go with changes of the unit",
        }
        parts = [
            f"{words[name]} {good[name].value:.2f} (chance {round(good[name].chance, 2) + 0.0:.2f})"
            for name in words
            if name in good
        ]
        return lettering.sentences([*said, *([f"Quality: {', '.join(parts)}"] if parts else [])])


def _entry(x: float, y: float, dye: str, name: str, count: int) -> list[Mark]:
    dot = Dots(np.array([[x + 8, y]]), np.zeros(1, int), np.full(1, -1), (dye,), 13.0)
    words = lettering.fitted(Text(x + 26, y, " ".join(name.split()) or "·", 17, colour=INK), 200)
    return [dot, words, Text(x + 290, y, f"{count:,}", 16, "right", colour=MUTED)]


def _sign(x: float, y: float, dye: str, size: float, words: str) -> list[Mark]:
    return [
        Dots(np.array([[x + 8, y]]), np.zeros(1, int), np.full(1, -1), (dye,), size),
        Text(x + 26, y, words, 16, colour=MUTED),
    ]
