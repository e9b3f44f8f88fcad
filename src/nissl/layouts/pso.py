"""The paper's particle swarm: from random places, first by likeness, then by even spacing."""

from dataclasses import dataclass

import numpy as np

from nissl.core.layout import Array, Layout
from nissl.errors import BadValue
from nissl.layouts._forces.particles import settled, unlikeness


@dataclass(frozen=True)
class Pso(Layout):
    """Particles that attract their like and then spread; each of its `steps` looks at all pairs."""

    steps: int = 1000

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadValue(f"steps={self.steps}: particles take at least one.")

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        if start is not None:
            return settled(start, self.steps, seed)
        lot = np.random.default_rng(seed).random((len(features), 2))
        return settled(lot, self.steps, seed, unlikeness(features))
