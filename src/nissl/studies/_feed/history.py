"""`history/PLACE.UNIT.bin`: one unit of a large layer at every epoch, read by itself."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.core import traced
from nissl.studies._feed.packing import Array, packed, steps
from nissl.studies._feed.part import Part, number
from nissl.views._staining.responses import by_class


class UnitHistory(Part):
    """A report or a folder holds none, for there is one for each unit."""

    def names(self) -> Iterator[str]:
        return iter(())

    def file(self, rest: str) -> bytes:
        first, _, second = rest.removesuffix(".bin").partition(".")
        place, unit, shown = number(first), number(second), list(self.stage.slides.shown.values())
        if place is None or unit is None or not rest.endswith(".bin") or place >= len(shown):
            raise self.unknown(rest, "PLACE.UNIT.bin")
        glass = shown[place]
        if unit >= len(glass.cell):
            raise self.unknown(rest, f"units 0 to {len(glass.cell) - 1} of {glass.layer}")
        arrays: dict[str, Array] = {}
        told: dict[str, Any] = {}
        for dye, values in self._values(glass.layer, unit).items():
            arrays[dye], most = steps(values.T)
            told[dye] = {"most": most, "full": self.stage.slides.full(glass.layer, dye)}
        return packed({"layer": glass.layer, "unit": unit, "tables": told}, arrays)

    def _values(self, layer: str, unit: int) -> dict[str, Array]:
        """By dye (epoch, class), not-a-number where an epoch has none."""
        trace, slides = self.trace, self.stage.slides
        found = {"contrast": by_class(trace, layer, trace.epochs, slice(unit, unit + 1))[:, 0]}
        if slides.scored(layer):
            table = np.full((len(trace.epochs), len(trace.classes)), np.nan)
            at = [trace.epochs.index(epoch) for epoch in slides.followed]
            table[at] = trace.read(layer, traced.SCORES, slides.followed, (slice(unit, unit + 1),))[:, 0]
            found = {"causal": table, **found}
        return found
