"""Topographic maps: what each group, such as a class, looks like on a layer whose units lie beside their like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nissl.core.map import Map, Maps
from nissl.core.marks import Lines, Mark, Text
from nissl.core.ordering import neighbourhood
from nissl.core.palette import INK, MUTED
from nissl.core.view import Picture, View
from nissl.errors import BadValue
from nissl.views._mapping.panels import Panel, Scale, key, panel
from nissl.views._staining.lettering import counted, fitted, layer, number, plural, sentences, spelled

WIDTH = 1600.0
MOST_GROUPS, MOST_ROWS, IN_A_ROW = 10, 8, 5
SIDE, ALONE = 330.0, 640.0
"""The largest map, among others and by itself."""


@dataclass(frozen=True, eq=False)
class Topomaps(View):
    """Of one map, or of several: layers or epochs, a row each.

    `groups`: which, by name; None: the first ten. `epochs`: rows of a map that holds several; None: the last, or, if `over`,
    as many as there is room for. `style`: interpolated ("field") or unit by unit ("units"). `regions`: outlines where each
    group is answered most. `shared`: one scale for all rows; None: where they are of one layer. `about`: said in the title.
    """

    maps: Map | Maps
    groups: Sequence[str | int] | None = None
    epochs: Sequence[int] | None = None
    over: bool = False
    style: Literal["field", "units"] = "field"
    regions: bool = False
    shared: bool | None = None
    about: str = ""

    def describe(self) -> Picture:
        if self.style not in ("field", "units"):
            raise BadValue(f"style={self.style!r}: field or units.")
        rows, there = self._rows()
        first = rows[0][1]
        names = [first.groups[first.group(name)] for name in (self.groups or first.groups[:MOST_GROUPS])]
        single = len(rows) == 1
        wrapped = [names[at : at + IN_A_ROW] for at in range(0, len(names), IN_A_ROW)] if single else [names]
        left, right = (0.0, 120.0) if single else (190.0, 120.0)
        across = min((WIDTH - left - right) / len(wrapped[0]), ALONE if single and len(names) == 1 else SIDE)
        scales = self._scales(rows, names)
        marks: list[Mark] = []
        y = 0.0
        for place, (label, one, moment) in enumerate(rows):
            for number_, line in enumerate(wrapped):
                headed = single or place == 0
                y += 40 if headed else 0
                room = Panel(left, y, across * 0.94, self.style, scales[place])
                high = room.height(one)
                if headed:
                    marks += [_head(name, left + across * (k + 0.47), y - 17, across) for k, name in enumerate(line)]
                for k, name in enumerate(line):
                    marks += panel(
                        one,
                        one.values[moment, one.group(name)],
                        room.beside(across * k),
                        self._outline(one, name, moment),
                    )
                if not single:
                    marks += _label(label, one, y + high / 2, left)
                if number_ == 0 and (place == 0 or scales[place] != scales[place - 1]):
                    marks += key(scales[place], left + across * len(wrapped[0]) + 14, y, min(high, 260))
                y += high + (24 if single else 14)
        return Picture(self._title(rows), self._caption(rows, there, names, scales), WIDTH, y, tuple(marks))

    def _rows(self) -> tuple[list[tuple[str, Map, int]], int]:
        """What each row is called, its map and which of its moments; and how many rows there could be."""
        if isinstance(self.maps, Maps) and self.maps.axis == "epoch" and self.epochs is not None:
            every = [(f"epoch {epoch}", self.maps[epoch], 0) for epoch in self.epochs]
        elif isinstance(self.maps, Maps):
            every = [
                (str(name) if self.maps.axis == "layer" else f"epoch {name}", one, len(one.values) - 1)
                for name, one in self.maps.items()
            ]
        elif self.epochs is not None or (self.over and self.maps.epochs):
            every = [(f"epoch {e}", self.maps, self.maps.moment(e)) for e in (self.epochs or self.maps.epochs)]
        else:
            return [(self.maps.layer, self.maps, len(self.maps.values) - 1)], 1
        if not every:
            raise BadValue("There is no map to show.")
        told = np.unique(np.linspace(0, len(every) - 1, min(len(every), MOST_ROWS)).round().astype(int))
        return [every[k] for k in told], len(every)

    def _scales(self, rows: Sequence[tuple[str, Map, int]], names: Sequence[str]) -> list[Scale]:
        shown = [one for _, one, _ in rows]
        if isinstance(self.maps, Maps) and self.maps.axis == "epoch":  # pictures of single epochs have the same scale
            shown = list(self.maps.values())
        tables = [one.values[:, [one.group(name) for name in names]] for one in shown]
        together = self.shared if self.shared is not None else len({one.layer for one in shown}) == 1
        if together:
            return [Scale.of(np.concatenate([table.ravel() for table in tables]))] * len(rows)
        return [Scale.of(table) for table in tables]

    def _outline(self, one: Map, name: str, moment: int) -> Lines | None:
        if not self.regions:
            return None
        epoch = one.epochs[moment] if one.epochs else None
        corners = one.region(name, epoch=epoch).outline
        return Lines(np.concatenate([corners, corners[:1]]), INK, 1.4)

    def _title(self, rows: Sequence[tuple[str, Map, int]]) -> str:
        layers = list(dict.fromkeys(one.layer for _, one, _ in rows))
        where = layer(layers[0]) if len(layers) == 1 else plural(len(layers), "layer")
        one, moment = rows[0][1:]
        when = f", epoch {one.epochs[moment]}" if one.epochs and (len(rows) == 1 or len(layers) > 1) else ""
        return (
            f"Topographic map{'s' if len(rows) > 1 else ''} of {where}{when}{f', {self.about}' if self.about else ''}"
        )

    def _called(self, row: str) -> str:
        return layer(row) if isinstance(self.maps, Maps) and self.maps.axis == "layer" else row

    def _caption(
        self, rows: Sequence[tuple[str, Map, int]], there: int, names: Sequence[str], scales: Sequence[Scale]
    ) -> str:
        of, one, _ = max(rows, key=lambda row: row[1].units)
        how = one.recipe
        shown = f"{how['measure']} of responses" if "measure" in how else "values"
        said = [
            f"Units lie beside their like ({how['distance']} distance, {how['by']}); colour is each unit's {shown} for the group"
            + (", interpolated between units" if self.style == "field" else ""),
            f"{plural(one.units, 'unit')} of {layer(one.layer)}"
            if len({o.layer for _, o, _ in rows}) == 1
            else "Maps are turned to face one another",
            *([counted(len(names), len(one.groups), "group")] if len(names) < len(one.groups) else []),
            *([counted(len(rows), there, "row")] if len(rows) < there else []),
            _judged(
                one,
                self._called(of)
                if isinstance(self.maps, Maps)
                else "all epochs together"
                if len(one.epochs) > 1
                else "",
            ),
        ]
        if any(scale.clipped for scale in scales):
            said.append(
                f"The deepest colour is {number(max(s.limit for s in scales))} and beyond, 1 % of all values"
                if len(set(scales)) == 1
                else "The deepest colour of a row stands for the top 1 % of its values"
            )
        return sentences(part for part in said if part)


def _judged(one: Map, of: str) -> str:
    """Order and evenness beside chance."""
    told = one.order
    parts = [
        f"{words} {100 * told[name].value:.0f} % (chance {100 * told[name].chance:.0f} %)"
        if share
        else f"{words} {told[name].value:.2f} ({told[name].chance:.2f})".replace("-", "−")
        for name, words, share in (
            ("kept", f"nearest {spelled(neighbourhood(one.units))} kept", True),
            ("trustworthiness", "trustworthiness", False),
            ("moran", "Moran's I", False),
            ("spacing", "spacing varies by", True),
        )
        if name in told and np.isfinite(told[name].value)
    ]
    return f"Quality{f' ({of})' if of else ''}: {', '.join(parts)}" if parts else ""


def _head(name: str, x: float, y: float, room: float) -> Text:
    return fitted(Text(x, y, name, 20, "center", bold=True, colour=INK), 0.92 * room)


def _label(label: str, one: Map, y: float, room: float) -> list[Mark]:
    return [
        fitted(Text(room - 16, y - 12, label, 19, "right", bold=True, colour=INK), room - 16, keep_end=True),
        fitted(Text(room - 16, y + 13, plural(one.units, "unit"), 16, "right", colour=MUTED), room - 16),
    ]
