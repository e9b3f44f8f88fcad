"""A self-organising map: units at the nodes of a sheet that has learned them."""

from dataclasses import dataclass

import numpy as np

from nissl.core.layout import Array, Layout
from nissl.errors import BadValue
from nissl.layouts._even import shapes
from nissl.layouts._even.sheet import learned

RING = 0.2


@dataclass(frozen=True)
class Som(Layout):
    """Every unit at the node most like it, several at one node in a ring around it. `passes`: how often the sheet learns."""

    passes: int = 24

    def __post_init__(self) -> None:
        if self.passes < 1:
            raise BadValue(f"passes={self.passes}: the sheet learns at least once.")

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        node = np.floor(learned(features, shapes.grid(len(features)), start, self.passes))
        _, which, count = np.unique(node, axis=0, return_inverse=True, return_counts=True)
        which = which.ravel()
        turn = np.empty(len(node))
        order = which.argsort(kind="stable")
        turn[order] = np.arange(len(node)) - np.repeat(np.cumsum(count) - count, count)
        angle = 2 * np.pi * turn / count[which]
        ring = RING * np.stack([np.cos(angle), np.sin(angle)], 1)
        found: Array = node + np.where(count[which, None] > 1, ring, 0)
        return found
