"""Units pushed in a direction."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.core.intervention import Array, Intervention, Units
from nissl.core.units import to_last


@dataclass(frozen=True)
class Steer(Intervention):
    """`strength` times a direction (one number a unit, or one for all) is added to the values."""

    direction: Any
    strength: float = 1.0

    def open(self, units: Units) -> AbstractContextManager[None]:
        push = to_last(units.layer, units.filled(self.direction) * self.strength)
        return units.change(lambda value: value + units.like(push, value))

    def turned(self, units: Units) -> tuple[Array, Array] | None:
        push = units.filled(self.direction) * self.strength
        return (np.ones(len(push)), push[:, 0]) if push.shape[1] == 1 else None
