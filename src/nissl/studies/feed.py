"""`Feed`: what the page reads of a trace, one small file at a time; a server, a folder and a report all hand out the same."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from nissl.core import traced
from nissl.core.trace import Trace
from nissl.errors import NisslError, UnknownKey
from nissl.studies._feed.packing import Array, packed, steps
from nissl.studies._feed.slides import Slides
from nissl.views._staining.dye import Causal, Contrast, Dye
from nissl.views._staining.paths import PORTS, Bundle, against_last, joins, kernel, outputs, shared, strongest
from nissl.views._staining.responses import NOTHING, active, choose, confusion, recalls, source

FORMAT = 1
RIBBONS, ALL_RIBBONS = 900, 10_800
"""The most paths of one picture, and of all classes of an epoch together."""
MOST_CLASSES, MATRIX, CONFUSED = 8, 32, 12


class Feed:
    """The files of a trace's page by name; made when asked for, and the same bytes for the same trace."""

    def __init__(self, trace: Trace, name: str = "run"):
        self.trace, self.name = trace, name

    def names(self) -> Iterator[str]:
        """Every file, for those who need all."""
        yield "index.json"
        if not self._refused:
            for epoch in self.trace.epochs:
                yield f"cells/{epoch}.bin"
                for dye in self._dyes(epoch):
                    yield f"paths/{epoch}.{dye}.bin"

    def file(self, name: str) -> bytes:
        """One of them."""
        if name == "index.json":
            return json.dumps(self.index(), allow_nan=False, separators=(",", ":")).encode()
        if found := re.fullmatch(r"cells/(\d{1,18})\.bin", name):
            return self.cells(int(found[1]))
        if found := re.fullmatch(r"paths/(\d{1,18})\.(causal|contrast)\.bin", name):
            return self.paths(int(found[1]), found[2])
        raise UnknownKey(
            f"The page has no file {name!r}: there are index.json, cells/EPOCH.bin and paths/EPOCH.DYE.bin."
        )

    def index(self) -> dict[str, Any]:
        """What is known before anything is looked at; where nothing can be shown, `refused` says why."""
        trace = self.trace
        head: dict[str, Any] = {
            "format": FORMAT, "name": self.name, "run_id": trace.header.get("run_id"), "model": trace.header.get("model"),
            "closed": trace.closed, "epochs": trace.epochs, "classes": list(trace.classes),
            "damaged": {str(epoch): why for epoch, why in trace.damaged.items()},
            "scalars": {name: [_number(v) for v in found.values] for name, found in trace.scalars.items()},
        }  # fmt: skip
        if not trace.epochs:
            return head
        return head | ({"refused": self._refused} if self._refused else self._shown())

    def cells(self, epoch: int) -> bytes:
        """What each cell of each slide answers to each class, and adds to it; and who was taken for whom."""
        trace = self.trace
        self._there(epoch)
        arrays: dict[str, Array] = {}
        told = {}
        dyes = [dye for dye in ("causal", "contrast") if dye in self._dyes(epoch)]
        for place, (name, glass) in enumerate(self._slides.shown.items()):
            for which in dyes:
                dye = self._dye(which, epoch)
                if which == "causal" and dye.stands_in(name):
                    continue
                table, full = dye.table(name)
                if which == "contrast":
                    table = np.where(np.abs(table) < NOTHING * full, 0.0, table)
                arrays[f"{place}.{which}"], most = steps(glass.table(table))
                told[f"{place}.{which}"] = {"most": most, "full": full}
        counts = confusion(trace, epoch)
        if counts is not None and counts.ndim == 2 and len(counts) <= MATRIX:
            arrays["confusion"] = counts.astype(np.uint32)
        right = [_number(share) for share in recalls(counts, len(trace.classes))]
        return packed({"epoch": epoch, "tables": told, "right": right, **_mistakes(counts)}, arrays)

    def paths(self, epoch: int, dye: str) -> bytes:
        """Of each class the paths that a picture of it alone would have; one of several classes has a share of each."""
        self._there(epoch)
        if dye not in self._dyes(epoch):
            raise UnknownKey(f"No structures were recorded at epoch {epoch}: its paths are those of dye 'contrast'.")
        found = self._paths(epoch, self._dye(dye, epoch))
        layers = {name: place for place, name in enumerate(self._slides.reached)}
        glasses = self._slides.shown
        bundles = [
            {
                "source": layers[b.source], "target": -1 if b.target == PORTS else layers[b.target], "class": b.class_number,
                "count": len(b.start), "total": b.total, "top": _number(b.top),
            } for b in found
        ]  # fmt: skip
        start = [glasses[b.source].cell[b.start] for b in found]
        end = [b.end if b.target == PORTS else glasses[b.target].cell[b.end] for b in found]
        signed = [np.where(b.inhibits, -1, 1) * np.maximum(np.rint(b.strength * 32767), 1) for b in found]
        arrays = {
            "start": _joined(start, np.uint16), "end": _joined(end, np.uint16), "strength": _joined(signed, np.int16)
        }  # fmt: skip
        return packed({"epoch": epoch, "dye": dye, "bundles": bundles, "absent": self._absent(epoch)}, arrays)

    # how

    @cached_property
    def _slides(self) -> Slides:
        return Slides(self.trace)

    @property
    def _refused(self) -> str:
        """Why nothing of this trace can be stained; empty where something can."""
        try:
            return "" if not self.trace.epochs or self._slides.shown else "No layer of this trace has units to stain."
        except NisslError as error:
            return str(error)

    def _shown(self) -> dict[str, Any]:
        trace, slides = self.trace, self._slides
        dyes: list[dict[str, Any]] = [
            {"name": "contrast", "epochs": trace.epochs, "source": source(trace, active(trace, needed=False))}
        ]
        if slides.followed:
            dyes.insert(0, {"name": "causal", "epochs": slides.followed, "source": traced.examples(trace)})
        return {
            "layers": slides.described,
            "ends": slides.ends,
            "every": len(slides.every),
            "dyes": dyes,
            "stains": list(choose(trace, trace.epochs[-1], MOST_CLASSES)),
            "ribbons": RIBBONS,
        }

    def _there(self, epoch: int) -> None:
        self.trace[epoch]  # an error that names what there is

    def _dyes(self, epoch: int) -> Sequence[str]:
        return ("causal", "contrast") if epoch in self._slides.followed else ("contrast",)

    def _dye(self, name: str, epoch: int) -> Dye:
        return (Causal if name == "causal" else Contrast)(self.trace, epoch)

    def _paths(self, epoch: int, dye: Dye) -> list[Bundle]:
        """A fair share of the ribbons of one picture for each layer pair of each class."""
        trace, layers = self.trace, self._slides.reached
        every = range(len(trace.classes))
        if not every or not self._slides.ends:
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
        trace, layers = self.trace, self._slides.reached
        if not trace.classes:
            return "the trace names no classes"
        if not self._slides.ends or outputs(trace, layers[-1]) is None:
            return "the last layer has no output for each class"
        without = [t for s, t in joins(trace, layers) if kernel(trace, s, t, epoch) is None]
        return f"of {without[-1]} no weights were kept at this epoch" if without else ""


def _joined(parts: list[Array], kind: Any) -> Array:
    return np.concatenate([*parts, np.zeros(0)]).astype(kind)


def _number(value: Any) -> float | None:
    """What JSON has of a number."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _mistakes(counts: Array | None) -> dict[str, Any]:
    """How many examples were judged, and the commonest mistakes: what they are, what was said, how often."""
    if counts is None or counts.ndim != 2:
        return {"judged": 0, "mistakes": []}
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    first = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSED]
    pairs = [(*divmod(int(place), len(counts)), int(wrong.flat[place])) for place in first if wrong.flat[place] > 0]
    return {"judged": int(counts.sum()), "mistakes": pairs}
