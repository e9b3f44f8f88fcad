"""How many values each class's mean rests on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nissl.core.profile import Array, Profile, Responses


@dataclass(frozen=True)
class Count(Profile):
    """count (neuron, class); NaN where a class was not seen. In a trace every position of a channel counts, else examples."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("mean", "count")

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"count": ("class",)}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        mean = responses["mean"]
        return (np.where(np.isnan(mean), np.nan, responses["count"]).astype(mean.dtype),)
