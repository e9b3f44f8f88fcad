"""The network stained by whose each unit is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.core.marks import Bars, Cells, Mark, Text
from nissl.core.palette import COUNTERSTAIN, INK, MUTED, STAIN10, absorb, hexadecimal
from nissl.core.structures import Structures
from nissl.core.view import Picture, View
from nissl.errors import Unsupported
from nissl.views._staining import lettering
from nissl.views._staining.adding import by_owner, full, stained
from nissl.views._staining.rack import Frame, Slide, glass, heading, slide
from nissl.views._staining.responses import GREY

Floats = NDArray[np.float64]
MOST_SLIDES = 8
LEFT, CHIP = 1290.0, 34.0


@dataclass(frozen=True, eq=False)
class Owners(View):
    """Each unit takes the dye of the class that it adds most to; what it adds to all alike is grey, the backbone.

    `about`: said in the title after what is shown, such as an epoch.
    """

    structures: Structures
    about: str = ""

    def describe(self) -> Picture:
        names = list(self.structures)
        if len(names) < 2:
            raise Unsupported("Owners are told apart by classes: give the structures of at least two.")
        tables = self.structures.shares()
        every = list(tables)
        shown = every[-MOST_SLIDES:]
        owners, specific = self.structures.owners(), self.structures.specificity()
        marks: list[Mark] = []
        room = 1220 / len(shown)
        for place, name in enumerate(shown):
            frame = Frame(20 + room * (place + 0.17), 95, room * 0.66, 590)
            one = _slide(name, tables[name], frame)
            centre = frame.left + frame.width / 2
            marks += heading(_place(self.structures, name), len(owners[name]), centre, room - 12, 20)
            marks += [glass(one.tiles), one.tiles]
        marks += _classes(names, owners) + _key(760)
        title = f"Whose each unit is{f', {self.about}' if self.about else ''}"
        return Picture(title, self._caption(shown, every, owners, specific), 1600, 800, tuple(marks))

    def _caption(
        self, shown: Sequence[str], every: Sequence[str], owners: Mapping[str, Any], specific: Mapping[str, Any]
    ) -> str:
        first = next(iter(self.structures.values()))
        units = np.concatenate([owners[name] for name in shown])
        sure = np.concatenate([specific[name] for name in shown])
        how = (
            f"What a unit adds to a class is its score by {str(first.recipe.get('by', 'an unnamed method')).replace('_', ' ')}, on that class's own examples"
            if first.causal
            else "This is an annotation: a unit's activity for a class, which does not prove that it matters"
        )
        backbone = len(self.structures.backbone)
        said = [
            how,
            (
                "Hue is the class that it adds most to, saturation how far it is that class's alone, depth how much it adds within "
                "its layer; grey is shared"
            ),
            f"{int((units < 0).sum()):,} of {len(units):,} units add to no class (blank)",
            f"half of the others are more than {100 * float(np.median(sure[units >= 0])) if (units >= 0).any() else 0:.0f} % one class's own",
            f"{backbone:,} units are in most classes' structures",
            lettering.counted(len(shown), len(every), "layer"),
        ]
        return lettering.sentences(said)


def _place(structures: Structures, name: str) -> Layer:
    case = next(iter(structures.values())).case
    found = [layer for layer in case.layers if layer.name == name] if case is not None else []
    return found[0] if found else Layer(name, "other", None)


def _slide(name: str, table: Floats, frame: Frame) -> Slide:
    """Units by owner; of more classes than there are dyes, several share one."""
    classes, dyes = table.shape[1], _dyes(table.shape[1])
    stain = stained(table, full(table), range(classes), mixed=False)
    depth = np.zeros((len(table), len(dyes)))
    for number in range(classes):
        depth[:, number % len(dyes)] += stain.depth[:, number]
    return slide(name, replace(stain, depth=depth), by_owner(table), dyes, frame)


def _dyes(classes: int) -> tuple[str, ...]:
    return STAIN10[: min(classes, len(STAIN10))]


def _classes(names: Sequence[str], owners: Mapping[str, NDArray[Any]]) -> list[Mark]:
    """Every class's dye, name and how many units it owns."""
    every, dyes = np.concatenate(list(owners.values())), _dyes(len(names))
    listed = names[: len(dyes)]
    step = min(60.0, 590 / len(listed))
    marks: list[Mark] = [
        Text(LEFT, 20, "classes", 20, bold=True, colour=INK), Text(LEFT, 45, "units owned", 16, colour=MUTED)
    ]  # fmt: skip
    for number, name in enumerate(listed):
        y = 390 - step * (len(listed) - 1) / 2 + step * number
        high = min(34.0, 0.68 * step)
        count = int((every == number).sum())
        marks.append(Bars(np.array([[LEFT, y - high / 2, CHIP, high]]), (dyes[number],), 5))
        marks.append(lettering.fitted(Text(LEFT + CHIP + 12, y, name, min(20.0, high), bold=True, colour=INK), 150))
        marks.append(Text(LEFT + 290, y, f"{count:,}", min(18.0, high), "right", colour=MUTED))
    if len(names) > len(listed):
        more = f"{len(names) - len(listed)} more classes share these dyes"
        marks.append(lettering.fitted(Text(LEFT, 390 + step * (len(listed) + 1) / 2, more, 15, colour=MUTED), 300))
    return marks


def _key(y: float) -> list[Mark]:
    """One line that says how cells are read."""
    marks: list[Mark] = []
    x = 0.0
    grey = hexadecimal(absorb([1, 1, 1], [GREY], (COUNTERSTAIN,)))
    for colour, words in (
        (STAIN10[0], "adds to one class alone: the more, the deeper"), (grey, "adds to many alike"),
    ):  # fmt: skip
        marks.append(Cells(x, y - 9, 54, 18, np.linspace(0, 1, 9)[None], colour))
        marks.append(Text(x + 64, y, words, 16, colour=MUTED))
        x += 64 + lettering.width(words, 16) + 26
    marks.append(Text(x, y, "· adds to none", 16, colour=MUTED))
    return marks
