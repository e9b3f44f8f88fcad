"""A graph of the most alike, drawn by springs."""

from dataclasses import dataclass

import numpy as np

from nissl.core.layout import Array, Layout
from nissl.errors import BadValue
from nissl.layouts._forces.links import drawn, linked
from nissl.layouts._forces.particles import unlikeness


@dataclass(frozen=True)
class Graph(Layout):
    """Links between pairs nearer than `percent` of all pairs, drawn by Fruchterman and Reingold; what is alike may collapse."""

    percent: float = 7.5
    steps: int = 50

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 100 or self.steps < 1:
            raise BadValue(f"percent={self.percent}, steps={self.steps}: 0 to 100 per cent, at least one step.")

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        points = np.random.default_rng(seed).random((len(features), 2)) if start is None else start
        return drawn(points, linked(unlikeness(features), self.percent), self.steps)
