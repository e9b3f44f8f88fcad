"""The paper's way to spread a layout evenly: particles that push one another apart."""

from dataclasses import dataclass

import numpy as np

from nissl.core.layout import Array, EvenLayout, fitted, plane
from nissl.errors import BadValue
from nissl.layouts._forces.particles import settled


@dataclass(frozen=True)
class Swarm(EvenLayout):
    """Spreads a layout (None: principal components) in so many `steps`, each of which looks at all pairs; for comparison: slow, less even."""

    steps: int = 100

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadValue(f"steps={self.steps}: particles take at least one.")

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        embedding = self.embedding()
        if embedding is not None:
            points = embedding.place(features, start, seed)
        elif start is not None:
            points = start
        else:
            points = plane(features)
        jitter = np.random.default_rng(seed).normal(0, 1e-4, points.shape)  # units in one place would stay together
        return settled(fitted(points) + jitter, self.steps, seed)
