"""How much a unit's responses to one class differ among themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nissl.core.profile import Array, Profile, Responses


@dataclass(frozen=True)
class Variance(Profile):
    """variance (neuron, class) of the values, unbiased; NaN for classes of fewer than two."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("mean", "std", "count")

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"variance": ("class",)}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        mean, std, count = (responses[name] for name in self.needs)
        several = (count > 1) & ~np.isnan(mean)
        scale = np.where(count > 1, count, 2) / np.where(count > 1, count - 1.0, 1)
        return (np.where(several, np.asarray(std, np.float64) ** 2 * scale, np.nan).astype(mean.dtype),)
