"""`maps/PLACE.LAYOUT.bin`: where a slide's cells lie on its topographic map, and how good the map is beside chance."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from nissl.core.map import Map, facing
from nissl.core.topomap import responses, topomap
from nissl.errors import NotHeard
from nissl.studies._feed.packing import finite, packed
from nissl.studies._feed.part import Part, number

LAYOUTS = ("grid", "disc", "tsne", "umap", "som", "pca")
BEYOND = 0.99
"""The deepest colour is what so many of a layer's values keep to at the last epoch."""


class Topographic(Part):
    def told(self) -> dict[str, Any]:
        trace = self.trace
        heard = any(name in ("class_mean", "probe_class_mean") for layer in trace.layers for name in trace.names(layer))
        if not heard or len(trace.classes) < 2:
            return {
                "absent": "no responses to classes were recorded: record with labels, or classes=, and the quantity 'profile'"
            }
        return {"layouts": LAYOUTS, "epoch": trace.epochs[-1]}

    def names(self) -> Iterator[str]:
        if "absent" not in self.told():
            yield from (f"{place}.{LAYOUTS[0]}.bin" for place in range(len(self.stage.slides.shown)))

    def file(self, rest: str) -> bytes:
        first, _, by = rest.removesuffix(".bin").partition(".")
        place, shown = number(first), list(self.stage.slides.shown)
        if place is None or place >= len(shown) or by not in LAYOUTS or not rest.endswith(".bin"):
            raise self.unknown(rest, "PLACE.LAYOUT.bin, PLACE being a slide's number")
        found = self.map(place, by)
        quality = {
            name: {"value": finite(m.value), "chance": finite(m.chance), "z": finite(m.z), "better": m.better}
            for name, m in found.quality.items()
        }
        head = {
            "layer": shown[place], "by": by, "shape": found.shape, "side": float(found.side), "spacing": float(found.spacing),
            "quality": quality, "limits": {name: self._limit(place, name) for name in self.stage.dyes(self.trace.epochs[-1])},
        }  # fmt: skip
        x, y = found.positions.T.astype(np.float32)
        return packed(head, {"x": x, "y": y})

    @cached_property
    def _made(self) -> dict[tuple[int, str], Map]:
        return {}

    def map(self, place: int, by: str) -> Map:
        """By what cells answer at the last epoch, turned so that classes lie where they do in the slide before."""
        if (place, by) not in self._made:
            name = list(self.stage.slides.shown)[place]
            table = responses(self.trace, name, self.trace.epochs[-1:], "contrast")
            if table is None:
                raise NotHeard(f"{name}: no responses to classes were recorded.")
            values = self.stage.slides.shown[name].table(table[0])
            found = topomap(dict(zip(self.trace.classes, values, strict=True)), name, by=by)
            self._made[place, by] = found if place == 0 else facing(self.map(place - 1, by), found)
        return self._made[place, by]

    def _limit(self, place: int, dye: str) -> float:
        glass = list(self.stage.slides.shown.values())[place]
        values = glass.table(self.stage.dye(dye, self.trace.epochs[-1]).table(glass.layer)[0])
        if dye == "contrast":
            values = values - np.nanmean(np.where(np.isfinite(values).any(0), values, 0), 0)
        sizes = np.abs(values[np.isfinite(values)])
        limit = float(np.quantile(sizes, BEYOND)) if sizes.size else 0.0
        return limit or float(sizes.max(initial=0.0)) or 1.0
