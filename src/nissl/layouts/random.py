"""Anywhere: what other layouts are compared with."""

from dataclasses import dataclass

import numpy as np

from nissl.core.layout import Array, Layout


@dataclass(frozen=True)
class Random(Layout):
    """Drawn by lot over a square; it says nothing of the units."""

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        return np.random.default_rng(seed).random((len(features), 2))
