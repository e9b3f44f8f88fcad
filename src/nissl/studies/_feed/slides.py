"""Which layers the page shows, which cell of a slide stands for which units, and in which orders cells lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import traced
from nissl.core.trace import Trace
from nissl.views._staining.dye import Causal, Contrast, Dye
from nissl.views._staining.paths import outputs
from nissl.views._staining.rack import MOST_CELLS, averaged, groups
from nissl.views._staining.responses import Floats, active

Places = NDArray[np.int64]
MOST_SLIDES = 8


@dataclass(frozen=True, eq=False)
class Glass:
    """A layer's cells: each shows one unit, or in a large layer the mean of several that are alike."""

    layer: str
    cell: Places
    """The cell of each unit."""
    first: Places
    """The first unit of each cell."""
    order: Places
    """Units as they lie, so that those of a cell lie together."""

    @property
    def alone(self) -> bool:
        return len(self.first) == len(self.cell)

    def table(self, values: Floats) -> Floats:
        """(unit, class) as (class, cell)."""
        return values.T if self.alone else averaged(values, self.cell).T


class Slides:
    """Of one trace: what stays the same over its epochs, so that what moves on the page has changed."""

    def __init__(self, trace: Trace):
        self.trace = trace
        self._lain: dict[tuple[str, str], tuple[Places, float]] = {}

    @property
    def followed(self) -> list[int]:
        """The epochs at which attribution was recorded."""
        return traced.epochs(self.trace, needed=False)

    @cached_property
    def dyes(self) -> dict[str, Dye]:
        """Those that this trace allows at all, the default first, at the last epoch that allows them."""
        causal = {"causal": Causal(self.trace, self.followed[-1])} if self.followed else {}
        return {**causal, "contrast": Contrast(self.trace, self.trace.epochs[-1])}

    @cached_property
    def every(self) -> list[str]:
        """The layers that one of the dyes stains."""
        causal = self.dyes["causal"].layers if self.followed else active(self.trace)
        return [name for name in self.trace.layers if name in set(causal) and self.trace.units(name)]

    @cached_property
    def ends(self) -> bool:
        """Does the last layer say the classes, so that ports stand in its place?"""
        return len(self.every) > 1 and outputs(self.trace, self.every[-1]) is not None

    @cached_property
    def reached(self) -> list[str]:
        """The layers of the picture, with that of the outputs."""
        return self.every[-MOST_SLIDES - self.ends :]

    @cached_property
    def shown(self) -> dict[str, Glass]:
        """The layers that are slides."""
        names = self.reached[:-1] if self.ends else self.reached
        return {name: self._glass(name) for name in names}

    def _glass(self, name: str) -> Glass:
        units = np.arange(self.trace.units(name))
        order = self._laid(name, next(iter(self.dyes)))[0] if len(units) > MOST_CELLS else units
        return Glass(name, *groups(order, MOST_CELLS), order)

    def orders(self, glass: Glass) -> Mapping[str, list[int]]:
        """By dye, the cells as they lie on the slide."""
        return {name: self._order(glass, name) for name in self.dyes}

    def _order(self, glass: Glass, dye: str) -> list[int]:
        order = self._laid(glass.layer, dye)[0]
        if not glass.alone:  # a cell lies where the first of its units does
            cells = glass.cell[order]
            order = cells[np.sort(np.unique(cells, return_index=True)[1])]
        found: list[int] = order.tolist()
        return found

    def full(self, layer: str, dye: str) -> float:
        """What counts as full depth of a layer's dye, at every epoch."""
        return self._laid(layer, dye)[1]

    def _laid(self, layer: str, dye: str) -> tuple[Places, float]:
        """Units as this dye lays them, and its full depth; a large layer's table is read once."""
        if (layer, dye) not in self._lain:
            self._lain[layer, dye] = self.dyes[dye].laid(layer)
        return self._lain[layer, dye]

    def scored(self, layer: str) -> bool:
        """Was attribution recorded of it?"""
        return traced.SCORES in self.trace.names(layer)

    @cached_property
    def described(self) -> list[dict[str, Any]]:
        """For the index; of a trace that is still recorded, as it was when first looked at."""
        return [self._described(glass) for glass in self.shown.values()]

    def _described(self, glass: Glass) -> dict[str, Any]:
        place = self.trace.place(glass.layer)
        several = {} if glass.alone else {"first": glass.first.tolist(), "counts": np.bincount(glass.cell).tolist()}
        return {
            "name": glass.layer,
            "kind": place.kind if place.kind != "other" else "layer",
            "bends": place.nonlinearity,
            "unit": place.unit,
            "units": len(glass.cell),
            "cells": len(glass.first),
            "followed": self.scored(glass.layer),
            "orders": self.orders(glass),
            **several,
        }
