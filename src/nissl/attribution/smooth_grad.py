"""The gradient's mean over noisy copies of the input."""

from dataclasses import dataclass

import numpy as np

from nissl.core.matter import Matter
from nissl.core.method import Array, Method
from nissl.errors import BadValue


@dataclass(frozen=True)
class SmoothGrad(Method):
    """SmoothGrad (Smilkov and others, 2017): normal noise whose deviation is `level` of each example's range.

    The noise is drawn from `seed` for each example on its own, with a generator that nobody else uses.
    """

    samples: int = 16
    level: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples < 1 or self.level <= 0:
            raise BadValue(f"samples={self.samples}, level={self.level}: at least one sample, and a level above 0.")

    def values(self, matter: Matter) -> Array:
        x = matter.inputs
        flat = x.reshape(len(x), -1)
        spread = (self.level * (flat.max(1) - flat.min(1))).astype(x.dtype)
        draws = [np.random.default_rng([self.seed, place]) for place in matter.places]
        total: Array | None = None
        for _ in range(self.samples):
            noise = np.stack([draw.standard_normal(x.shape[1:], np.float32) for draw in draws]).astype(x.dtype)
            told = matter.gradient(x + noise * spread.reshape(-1, *[1] * (x.ndim - 1)))
            total = told if total is None else total + told
        return np.asarray(total) / self.samples
