"""`graph/KIND[.FOLD].bin`: what the network is made of, laid out; `graph/dye.EPOCH.bin`: how much of each layer is whose.

KIND: layers (as the trace's header knows them) or modules (what a pass of one example shows, where the network can be had).
FOLD: d2: two levels of blocks are open; f3-17: the blocks 3 and 17 are closed; left out: as many as are read at a glance.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from nissl.core.graph import SIGNS, Graph
from nissl.core.graph import graph as drawn
from nissl.core.layer import Layer
from nissl.core.network import batches
from nissl.core.probe import streamed
from nissl.studies._feed.packing import Array, packed
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.recorded import recorded
from nissl.studies.subject import is_pair

READ = 40
"""Nodes that are read at a glance."""
DEPTHS = 4
ABOVE = 1.15
"""What is a class's own is above so many times the unit's mean over classes, as cells are dyed by activity."""


class Graphs(Part):
    def told(self) -> dict[str, Any]:
        if not self._layers:
            return {"absent": "the trace's header names no layers"}
        return {
            "kinds": ["layers", *(["modules"] if self.stage.alive else [])],
            "joined": any(x.inputs for x in self._layers),
        }

    def names(self) -> Iterator[str]:
        if self._layers:
            yield "layers.bin"
            yield from (f"layers.d{depth}.bin" for depth in range(1, self._whole("layers").depth + 1))
            yield from (f"dye.{epoch}.bin" for epoch in self.trace.epochs if self.trace.classes)

    def file(self, rest: str) -> bytes:
        kind, _, fold = rest.removesuffix(".bin").partition(".")
        epoch = number(fold) if kind == "dye" else None
        if epoch is not None and rest.endswith(".bin"):
            return self._dyed(epoch)
        known = kind == "layers" or (kind == "modules" and self.stage.alive)
        if not known or not rest.endswith(".bin") or not re.fullmatch(r"(d[1-9]\d?|f(\d{1,6}(-\d{1,6})*)?)?", fold):
            raise self.unknown(rest, "layers.bin, layers.d2.bin, layers.f3-17.bin, dye.EPOCH.bin")
        whole = self._whole(kind)
        shown = _folded(whole, fold)
        there = {node.id for node in shown.nodes}
        head = shown.to_dict() | {
            "every": _count(whole),
            "depth": whole.depth,
            "closed": sorted(one for one in whole.blocks if one in there and one not in shown.blocks),
            "layers": {str(node.id): self._within(whole, node.id) for node in shown.nodes},
            "signs": SIGNS,
            "work": {layer.name: _work(layer) for layer in self._layers},
        }
        return packed(head, {})

    @cached_property
    def _layers(self) -> list[Layer]:
        return [Layer.of(said) for said in self.trace.header.get("layers", ())]

    @cached_property
    def _kept(self) -> dict[str, Graph]:
        return {}

    def _whole(self, kind: str) -> Graph:
        if kind not in self._kept:
            self._kept[kind] = (
                recorded(self.trace.header.get("model") or "network", self._layers)
                if kind == "layers"
                else self._shown()
            )
        return self._kept[kind]

    def _shown(self) -> Graph:
        """As one example of the discovery set shows it."""
        subject = self.stage.subject
        data = subject.discovery[0] if is_pair(subject.discovery) else subject.discovery
        x, _ = next(iter(streamed(data, 1)))
        return drawn(subject.model, next(batches(x, 1)))

    def _within(self, whole: Graph, one: int) -> list[str]:
        """The recorded layers that a node is, or that lie in it."""
        names = {layer.name for layer in self._layers}
        return [
            node.path for node in whole.nodes if node.path in names and (node.id == one or one in whole.around(node.id))
        ]

    def _dyed(self, epoch: int) -> bytes:
        """(layer, class): what is a class's own in a layer, in parts of full depth, the mean over its units."""
        self.stage.there(epoch)
        arrays: dict[str, Array] = {}
        names, classes = self.stage.slides.every, len(self.trace.classes) or 1
        for which in self.stage.dyes(epoch):
            dye = self.stage.dye(which, epoch)
            rows = []
            for name in names:
                table, full = dye.table(name)
                if table.shape[1] != classes:  # of this layer only the mean was kept, which is no class's own
                    rows.append(np.zeros(classes))
                    continue
                share = np.clip(np.nan_to_num(table / (full or 1.0)), 0, 1.2)
                rows.append(np.maximum(share - ABOVE * share.mean(1, keepdims=True), 0).mean(0))
            arrays[which] = np.asarray(rows, np.float32)
        return packed({"epoch": epoch, "layers": names}, arrays)


def _count(shown: Graph) -> int:
    """Of what does something: blocks are read by what is in them, and a junction is where lines meet."""
    return sum(node.role != "junction" for node in shown.nodes) - len(shown.blocks)


def _folded(whole: Graph, fold: str) -> Graph:
    if fold.startswith("f"):
        return whole.folded(int(one) for one in fold[1:].split("-") if one)
    if fold:
        return whole.collapsed(int(fold[1:]))
    for depth in range(min(whole.depth, DEPTHS), 1, -1):
        shown = whole.collapsed(depth)
        if _count(shown) <= READ:
            return whole if depth == whole.depth else shown
    return whole.collapsed(1) if whole.depth > 1 else whole


def _work(layer: Layer) -> int | None:
    """Multiplications with weights that one example takes; None where that is not known."""
    weight = layer.parameters.get("weight")
    return prod(weight) * prod(layer.unit_shape) if weight and layer.kind in ("dense", "conv") else None
