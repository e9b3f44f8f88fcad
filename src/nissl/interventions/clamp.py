"""Units held at a value."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from nissl.core.intervention import Array, Intervention, Units


@dataclass(frozen=True)
class Clamp(Intervention):
    """To this value whatever comes in: one number, or one a unit."""

    value: Any

    def open(self, units: Units) -> AbstractContextManager[None]:
        return units.fix(self.fixed(units))

    def fixed(self, units: Units) -> Array:
        return units.filled(self.value)
