"""`paths/EPOCH.DYE.bin`: of each class the paths that a picture of it alone would have; one of several has a share of each."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.errors import UnknownKey
from nissl.studies._feed.packing import Array, finite, packed
from nissl.studies._feed.part import Part, number
from nissl.views._staining.dye import Dye
from nissl.views._staining.paths import PORTS, Bundle, against_last, joins, kernel, outputs, shared, strongest

RIBBONS, ALL_RIBBONS = 900, 10_800
"""The most paths of one picture, and of all classes of an epoch together."""


class Paths(Part):
    def names(self) -> Iterator[str]:
        for epoch in self.trace.epochs:
            yield from (f"{epoch}.{dye}.bin" for dye in self.stage.dyes(epoch))

    def file(self, rest: str) -> bytes:
        said, _, dye = rest.removesuffix(".bin").partition(".")
        epoch = number(said)
        if epoch is None or dye not in ("causal", "contrast") or not rest.endswith(".bin"):
            raise self.unknown(rest, "EPOCH.causal.bin and EPOCH.contrast.bin")
        self.stage.there(epoch)
        if dye not in self.stage.dyes(epoch):
            raise UnknownKey(f"No structures were recorded at epoch {epoch}: its paths are those of dye 'contrast'.")
        found = self._found(epoch, self.stage.dye(dye, epoch))
        layers = {name: place for place, name in enumerate(self.stage.slides.reached)}
        glasses = self.stage.slides.shown
        bundles = [
            {
                "source": layers[b.source], "target": -1 if b.target == PORTS else layers[b.target], "class": b.class_number,
                "count": len(b.start), "total": b.total, "top": finite(b.top),
            } for b in found
        ]  # fmt: skip
        start = [glasses[b.source].cell[b.start] for b in found]
        end = [b.end if b.target == PORTS else glasses[b.target].cell[b.end] for b in found]
        signed = [np.where(b.inhibits, -1, 1) * np.maximum(np.rint(b.strength * 32767), 1) for b in found]
        arrays = {
            "start": _joined(start, np.uint16), "end": _joined(end, np.uint16), "strength": _joined(signed, np.int16)
        }  # fmt: skip
        return packed({"epoch": epoch, "dye": dye, "bundles": bundles, "absent": self._absent(epoch)}, arrays)

    def _found(self, epoch: int, dye: Dye) -> list[Bundle]:
        """A fair share of the ribbons of one picture for each layer pair of each class."""
        trace, layers = self.trace, self.stage.slides.reached
        every = range(len(trace.classes))
        if not every or not self.stage.slides.ends:
            return []
        budget = max(30, min(RIBBONS, ALL_RIBBONS // len(every)))
        members = dye.members(every)
        found = strongest(trace, layers, epoch, every, budget, members)
        by_class: dict[int, list[Bundle]] = {}
        for bundle in found:
            by_class.setdefault(bundle.class_number, []).append(bundle)
        kept = [bundle for k in sorted(by_class) for bundle in shared(by_class[k], budget)]
        return against_last(kept, trace, layers, epoch, every, members)

    def _absent(self, epoch: int) -> str:
        """Why there are no paths where there are none: what they are made of is missing."""
        trace, layers = self.trace, self.stage.slides.reached
        if not trace.classes:
            return "the trace names no classes"
        if not self.stage.slides.ends or outputs(trace, layers[-1]) is None:
            return "the last layer has no output for each class"
        without = [t for s, t in joins(trace, layers) if kernel(trace, s, t, epoch) is None]
        return f"of {without[-1]} no weights were kept at this epoch" if without else ""


def _joined(parts: list[Array], kind: Any) -> Array:
    return np.concatenate([*parts, np.zeros(0)]).astype(kind)
