"""Only these units say something."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar

from nissl.core.intervention import Array, Intervention, Units, choices


@dataclass(frozen=True)
class Keep(Intervention):
    """All other candidates are held at their mean over the data, or at "zero"."""

    to: str | float = "mean"
    others: ClassVar[bool] = True

    def __post_init__(self) -> None:
        choices("to", self.to, ("mean", "zero"))

    def open(self, units: Units) -> AbstractContextManager[None]:
        return units.fix(self.fixed(units))

    def fixed(self, units: Units) -> Array:
        if self.to == "mean":
            return units.known_means()
        return units.filled(0.0 if self.to == "zero" else self.to)
