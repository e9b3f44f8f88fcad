"""How the target changes with each value."""

from dataclasses import dataclass

from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class Gradient(Method):
    """The plain gradient; its magnitude is `saliency`."""

    def values(self, matter: Matter) -> Array:
        return matter.slope
