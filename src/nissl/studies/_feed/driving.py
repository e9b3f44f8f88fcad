"""`driving/LAYER.EPOCH.bin`: the examples that drive each cell of a slide most; `driving/LAYER.CELL.EPOCH.bin`: what each example does to one."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.errors import MissingData
from nissl.studies._feed.packing import Array, finite, packed, steps
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.probed import latest
from nissl.studies._feed.stage import Stage

TOP = 9


class Driving(Part):
    def told(self) -> dict[str, Any] | None:
        layers = [self._epochs(name) for name in self.stage.slides.shown]
        if not any(layers):
            return {
                "absent": "What units answer to single examples was not recorded: record with a probe=(x, y) and "
                "quantities=(..., 'samples')."
            }
        return {"top": TOP, "layers": layers, "kept": [self._kept(name) for name in self.stage.slides.shown]}

    def _epochs(self, name: str) -> list[int]:
        probed = self.stage.probed
        return probed.epochs(name) if name in probed.layers else []

    def _kept(self, name: str) -> list[int]:
        """Of a report, the last ones that take no more than a share of what it may hold."""
        each = 6 * TOP * len(self.stage.slides.shown[name].first)
        epochs = self._epochs(name)
        return latest(epochs, each * len(self.stage.slides.shown)) if epochs else []

    def names(self) -> Iterator[str]:
        for place, name in enumerate(self.stage.slides.shown):
            yield from (f"{place}.{epoch}.bin" for epoch in self._kept(name))

    def file(self, rest: str) -> bytes:
        said = [number(word) for word in rest.removesuffix(".bin").split(".")]
        shown = list(self.stage.slides.shown)
        place, epoch = said[0], said[-1]
        fits = rest.endswith(".bin") and len(said) in (2, 3) and None not in said
        if not fits or place is None or epoch is None or place >= len(shown):
            raise self.unknown(rest, "LAYER.EPOCH.bin and LAYER.CELL.EPOCH.bin, LAYER being a slide's number")
        self.stage.there(epoch)
        if epoch not in self._epochs(shown[place]):
            raise MissingData(f"No samples of {shown[place]} were recorded at epoch {epoch}.")
        found = cells(self.stage, shown[place], epoch)
        if len(said) == 2:
            return self._top(found, epoch)
        if said[1] is None or said[1] >= found.shape[1]:
            raise self.unknown(rest, f"cells up to {found.shape[1] - 1} of {shown[place]}")
        return self._one(found[:, said[1]], epoch)

    def _top(self, cells: Array, epoch: int) -> bytes:
        few = min(TOP, len(cells))
        first = np.argsort(-cells, 0, kind="stable")[:few].T
        values, most = steps(np.take_along_axis(cells.T, first, 1))
        return packed(
            {"epoch": epoch, "top": few, "most": most}, {"examples": first.astype(np.uint32), "values": values}
        )

    def _one(self, values: Array, epoch: int) -> bytes:
        """255ths of the most that any example gets; below zero is 0, and said."""
        most = float(values.max(initial=0.0))
        parts = np.rint(255 * (values / (most or 1.0)).clip(0, 1)).astype(np.uint8)
        return packed(
            {"epoch": epoch, "most": finite(most), "least": finite(values.min(initial=0.0))}, {"values": parts}
        )


def cells(stage: Stage, name: str, epoch: int) -> Array:
    """(example, cell) of a slide, of a map its highest place."""
    values = np.nan_to_num(stage.probed.values(name, epoch))
    flat = values if values.ndim == 2 else values.reshape(*values.shape[:2], -1).max(2)
    return stage.slides.shown[name].table(flat.T.astype(np.float64))
