"""How large a contrast is beside the differences within classes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nissl.core.profile import Array, Responses
from nissl.profiles._comparing.comparing import ComparingProfile, compared


@dataclass(frozen=True)
class Effect(ComparingProfile):
    """effect (neuron, class), Hedges' g: the contrast over the standard deviation within classes, corrected for few examples.

    `against` and `weights` as for contrast. The standard deviation is of all classes that are compared together.
    """

    @property
    def needs(self) -> tuple[str, ...]:
        return ("mean", "std", "count")

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"effect": self.axes}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        found = compared(responses, self.against, self.weights)
        fair = 1 - 3 / (4 * np.maximum(found.pooled, 1) - 1)  # Cohen's d of few examples is too large
        return ((found.over(found.spread) * fair).astype(responses["mean"].dtype),)
