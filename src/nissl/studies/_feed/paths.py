"""`paths/EPOCH.DYE.bin`: of each class the paths that a picture of it alone would have; one of several has a share of each."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.errors import UnknownKey
from nissl.studies._feed.packing import Array, finite, packed
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.stage import Stage
from nissl.views._staining.dye import Dye
from nissl.views._staining.paths import PORTS, Bundle, Span, against, joins, kernel, outputs, shared, spans, strongest

RIBBONS, ALL_RIBBONS = 900, 10_800
"""The most paths of one picture, and of all classes of an epoch together."""
KEPT = 256_000_000
"""Bytes of weights up to which an epoch's are kept for the next file, as both dyes and every epoch ask for them."""


class Paths(Part):
    def __init__(self, stage: Stage):
        super().__init__(stage)
        self._held: dict[tuple[int, int], list[Span]] = {}
        """By epoch and the last epoch that there was then."""

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
        trace = self.trace
        every = range(len(trace.classes))
        if not every or not self.stage.slides.ends:
            return []
        budget = max(30, min(RIBBONS, ALL_RIBBONS // len(every)))
        members = dye.members(every)
        by_class: dict[int, list[Bundle]] = {}
        for bundle in strongest(self._spans(epoch), every, budget, members):
            by_class.setdefault(bundle.class_number, []).append(bundle)
        kept = [bundle for k in sorted(by_class) for bundle in shared(by_class[k], budget)]
        last = trace.epochs[-1]
        return kept if epoch == last or not kept else against(self._spans(last), kept, every, members)

    def _spans(self, epoch: int) -> list[Span]:
        """Those of the last epoch, which every other is held against, and of the one that was asked for before are at hand."""
        last = self.trace.epochs[-1]
        if (epoch, last) not in self._held:
            found = spans(self.trace, self.stage.slides.reached, epoch)
            if sum(span.weights.nbytes for span in found) > KEPT:
                return found
            kept = {key: held for key, held in self._held.items() if key == (last, last)}
            self._held = kept | {(epoch, last): found}
        return self._held[epoch, last]

    def _absent(self, epoch: int) -> str:
        """Why there are no paths where there are none: what they are made of is missing."""
        trace, layers = self.trace, self.stage.slides.reached
        if not trace.classes:
            return "the trace names no classes"
        if not self.stage.slides.ends or outputs(trace, layers[-1]) is None:
            return "the last layer has no output for each class"
        known = {(span.source, span.through) for span in self._spans(epoch)}
        without = [t for s, t in joins(trace, layers) if (s, t) not in known and kernel(trace, s, t, epoch) is None]
        return f"of {without[-1]} no weights were kept at this epoch" if without else ""


def _joined(parts: list[Array], kind: Any) -> Array:
    return np.concatenate([*parts, np.zeros(0)]).astype(kind)
