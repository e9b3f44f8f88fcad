"""Units that can't be relied on."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.core.intervention import Intervention, Units
from nissl.errors import BadValue


@dataclass(frozen=True)
class Noise(Intervention):
    """Normal noise of this standard deviation is added to the values; the same in every pass over as many examples."""

    deviation: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.deviation >= 0:
            raise BadValue(f"noise({self.deviation!r}): a standard deviation, 0 or more.")

    def open(self, units: Units) -> AbstractContextManager[None]:
        def noisy(value: Any) -> Any:
            drawn = np.random.default_rng(self.seed).normal(0, self.deviation, tuple(value.shape))
            return value + units.like(drawn, value)

        return units.change(noisy)
