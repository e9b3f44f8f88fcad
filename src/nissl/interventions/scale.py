"""Units turned up or down."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from nissl.core.intervention import Array, Intervention, Units


@dataclass(frozen=True)
class Scale(Intervention):
    """Values are multiplied by a factor."""

    factor: float

    def open(self, units: Units) -> AbstractContextManager[None]:
        return units.change(lambda value: value * self.factor)

    def turned(self, units: Units) -> tuple[Array, Array]:
        return np.full(len(units.which), float(self.factor)), np.zeros(len(units.which))
