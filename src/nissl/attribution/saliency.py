"""How strongly the target changes with each value, whichever way."""

from dataclasses import dataclass

import numpy as np

from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class Saliency(Method):
    """The gradient's magnitude (Simonyan and others, 2013)."""

    def values(self, matter: Matter) -> Array:
        return np.abs(matter.slope)
