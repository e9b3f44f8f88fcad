"""Diffusion potentials: who is reached from whom by many small steps between like ones, over all epochs at once."""

from dataclasses import dataclass

import numpy as np

from nissl.core.layout import Array, PathLayout
from nissl.errors import BadValue
from nissl.layouts._diffusion.kernel import multislice
from nissl.layouts._diffusion.potential import potentials
from nissl.layouts._diffusion.scaling import scaled


@dataclass(frozen=True)
class Diffusion(PathLayout):
    """The idea of PHATE, and over epochs of M-PHATE (Moon, Gigante et al. 2019).

    `neighbours`: at the distance to that one a like unit begins to count. `power`: steps; None: where entropy stops falling fast.
    `landmarks`: so many points are laid out exactly, the others among them.
    """

    neighbours: int = 3
    power: int | None = None
    landmarks: int = 500

    def __post_init__(self) -> None:
        for name in ("neighbours", "power", "landmarks"):
            if getattr(self, name) is not None and not getattr(self, name) >= 1:
                raise BadValue(f"{name}={getattr(self, name)!r}: a whole number from 1 on.")

    def paths(self, features: Array, dimensions: int, seed: int) -> Array:
        epochs, units = features.shape[:2]
        count = epochs * units
        if not np.ptp(features, (0, 1)).any():
            return np.zeros((epochs, units, dimensions))
        picked = np.sort(np.random.default_rng(seed).permutation(count)[: self.landmarks])
        held = potentials(multislice(features, self.neighbours), picked, self.power)
        return scaled(held, picked, dimensions).reshape(epochs, units, dimensions)
