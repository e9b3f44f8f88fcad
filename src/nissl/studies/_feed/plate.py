"""`Plates`: of layers too large for a cell a unit, what every single unit shows, read a block of epochs at a time.

A block of epochs lies together on disk, and costs as much to read as one of them; so all of it is looked at once, some units
at a time, and of each epoch is kept what a picture needs: whose each unit is, how deep its dye, how much it shares.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from nissl.core import traced
from nissl.core.trace import Trace
from nissl.studies._feed.packing import Array
from nissl.studies._feed.slides import Glass, Slides
from nissl.views._staining import adding, responses

AT_ONCE = 48 * 2**20
"""Bytes of a block that are looked at together."""
KEPT = 384 * 2**20
"""Bytes of plates that are kept."""
DEEPEST, GREYEST = 1.3, 0.9
"""What the last step of a depth and of a grey stands for."""
DEPTHS, GREYS = 256, 64
"""How many steps there are."""
Key = tuple[str, str, int]


@dataclass(frozen=True, eq=False)
class Plate:
    """One layer at one epoch by one dye."""

    owner: NDArray[np.uint16]
    """In the order in which units lie: the class that each serves most; as many as there are classes: it serves none."""
    depth: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    table: Array
    """(class, cell): the mean over the units of each cell."""

    @property
    def bytes(self) -> int:
        return self.owner.nbytes + self.depth.nbytes + self.grey.nbytes + self.table.nbytes


class Plates:
    """Of one trace; each made when it is asked for, those not looked at the longest forgotten."""

    def __init__(self, trace: Trace, slides: Slides):
        self.trace, self.slides = trace, slides
        self._kept: OrderedDict[Key, Plate] = OrderedDict()
        self._lock = RLock()

    def plate(self, glass: Glass, dye: str, epoch: int) -> Plate:
        """The first of a block alone, for that is sooner there; with the next one all the others."""
        with self._lock:
            key = (glass.layer, dye, epoch)
            if key not in self._kept:
                beside = self._together(glass, dye, epoch)
                left = [one for one in beside if (glass.layer, dye, one) not in self._kept]
                for one, plate in self._made(glass, dye, left if len(left) < len(beside) else [epoch]):
                    self._kept[glass.layer, dye, one] = plate
            self._kept.move_to_end(key)
            size = sum(plate.bytes for plate in self._kept.values())
            while size > KEPT and len(self._kept) > 1:
                size -= self._kept.popitem(last=False)[1].bytes
            return self._kept[key]

    def full(self, glass: Glass, dye: str) -> float:
        """What counts as full depth, at every epoch."""
        return self.slides.full(glass.layer, dye)

    @cached_property
    def columns(self) -> int:
        return max(len(self.trace.classes), 1)

    def _names(self, glass: Glass, dye: str) -> list[str]:
        """What is recorded of the layer, the best first."""
        wanted = ["probe_class_mean", "class_mean"] if self.trace.classes else []
        wanted = [traced.SCORES] if dye == "causal" else [*wanted, "probe_mean", "mean"]
        return [name for name in wanted if name in self.trace.names(glass.layer)]

    def _together(self, glass: Glass, dye: str, epoch: int) -> list[int]:
        """The epochs that are read with this one at no further cost."""
        every = self.slides.followed if dye == "causal" else self.trace.epochs
        names = self._names(glass, dye)
        if not names:
            return [epoch]
        lengths, _ = self.trace.store.together(self.trace.spec(glass.layer, names[0]).key, every)
        at = 0
        for length in lengths:
            if epoch in every[at : at + length]:
                return every[at : at + length]
            at += length
        return [epoch]

    def _made(self, glass: Glass, dye: str, epochs: list[int]) -> Iterator[tuple[int, Plate]]:
        left = list(epochs)
        for name in self._names(glass, dye):
            found = self._looked(glass, dye, name, left)
            yield from found.items()
            left = [epoch for epoch in left if epoch not in found]
            if not left:
                return
        units, cells = len(glass.cell), len(glass.first)
        for epoch in left:
            blank, nobody = np.zeros(units, np.uint8), np.full(units, self.columns, np.uint16)
            yield epoch, Plate(nobody, blank, blank, np.full((self.columns, cells), np.nan))

    def _looked(self, glass: Glass, dye: str, name: str, epochs: list[int]) -> dict[int, Plate]:
        """Those epochs at which anything of that name was measured."""
        units, cells = len(glass.cell), len(glass.first)
        owner = np.empty((len(epochs), units), np.uint16)
        depth, grey = (np.empty((len(epochs), units), np.uint8) for _ in range(2))
        sums = np.zeros((len(epochs), self.columns, cells))
        heard = np.zeros(len(epochs), bool)
        place = np.empty(units, np.int64)
        place[glass.order] = np.arange(units)
        whole = self.full(glass, dye)
        each = max(1, AT_ONCE // (len(epochs) * self.columns * 4))
        _, step = self.trace.store.together(self.trace.spec(glass.layer, name).key, epochs)
        each = max(each // step * step, step)
        for first in range(0, units, each):
            part = slice(first, min(first + each, units))
            values = self.trace.read(glass.layer, name, epochs, (part,)).reshape(len(epochs), part.stop - first, -1)
            where, cell = place[part], glass.cell[part]
            for at in range(len(epochs)):
                table = np.ascontiguousarray(values[at].T)
                if not np.isfinite(table).any():
                    continue
                heard[at] = True
                owner[at, where], depth[at, where], grey[at, where] = _stained(table, dye, whole)
                for k, row in enumerate(_sounding(table, dye, whole)):
                    sums[at, k] += np.bincount(cell, row, cells)
        count = np.bincount(glass.cell)
        return {
            epoch: Plate(owner[at], depth[at], grey[at], sums[at] / count)
            for at, epoch in enumerate(epochs)
            if heard[at]
        }


def _sounding(table: Array, dye: str, whole: float) -> Array:
    """Without what is only the rounding of a sum."""
    return np.where(np.abs(table) < responses.NOTHING * whole, 0.0, table) if dye == "contrast" else table


def _stained(table: Array, dye: str, whole: float) -> tuple[Array, Array, Array]:
    """Of (class, unit): the class whose dye each unit takes, and steps of depth and grey."""
    classes = len(table)
    if dye == "causal":
        found = adding.stained(table.T.astype(float), whole, range(classes), mixed=False)
        owner, depth, grey = found.depth.argmax(1), found.depth.max(1, initial=0.0), found.grey
        silent = found.silent
    else:
        owner, depth, grey, silent = _answering(table, whole)
    owner = np.where(silent, classes, owner)
    return owner, _steps(depth, DEEPEST, DEPTHS), _steps(grey, GREYEST, GREYS)


def _answering(table: Array, whole: float) -> tuple[Array, Array, Array, Array]:
    """As `responses.stain` of all classes, foremost alone: a class at a time, which for a million units is ten times as quick."""
    scaled = np.minimum(table / np.float32(whole), np.float32(1.2))
    scaled[np.abs(scaled) < responses.NOTHING] = 0
    known = np.isfinite(scaled)
    scaled[~known] = 0
    silent: Array = np.logical_not(scaled.any(0))
    np.maximum(scaled, 0, out=scaled)
    mean, top = scaled.sum(0) / np.maximum(known.sum(0), 1), scaled.max(0)
    owner: Array = np.zeros(table.shape[1], np.int64)
    for k in range(len(scaled) - 1, 0, -1):
        owner[scaled[k] == top] = k
    owner[scaled[0] == top] = 0
    if len(scaled) < 2:
        return owner, np.zeros_like(top), responses.GREY * mean, silent
    most = 1 - responses.SHARED / len(scaled)
    return owner, np.maximum(0, top - responses.SHARED * mean) / most, responses.GREY * mean, silent


def _steps(values: Array, most: float, count: int) -> Array:
    return np.rint(np.clip(values, 0, most) * ((count - 1) / most))
