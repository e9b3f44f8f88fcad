"""The gradient times the value."""

from dataclasses import dataclass

from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class GradientInput(Method):
    """What each value adds, as far as the network is linear there."""

    def values(self, matter: Matter) -> Array:
        return matter.slope * matter.value
